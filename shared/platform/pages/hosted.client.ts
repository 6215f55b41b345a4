// The script of every hosted page; all pages work without it. It reveals passwords, submits once with a progress indicator, detects a missing
// network, copies and saves codes, and states times in the reader's time zone.
import { enableFormPosts, enableReveal } from './form.client.ts'
import { enableTools, localiseTimes } from './tools.client.ts'

enableReveal(document)
enableFormPosts(document, document.body.dataset.offline ?? '')
enableTools(document)
localiseTimes(document)
