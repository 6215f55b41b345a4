// The script of every hosted page; all pages work without it. It reveals passwords, submits once with a progress indicator, and detects a missing
// network.
import { enableFormPosts, enableReveal } from './form.client.ts'

enableReveal(document)
enableFormPosts(document, document.body.dataset.offline ?? '')
