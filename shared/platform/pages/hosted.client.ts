// The script of every hosted page. All of them work without it: it shows passwords, sends once and with a sign, and knows when there is no network.
import { enableFormPosts, enableReveal } from './form.client.ts'

enableReveal(document)
enableFormPosts(document, document.body.dataset.offline ?? '')
