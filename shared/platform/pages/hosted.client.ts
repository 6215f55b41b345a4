// The script of every hosted page. All of them work without it: it shows passwords, sends once and with a sign, and knows when there is no network.
import { posts, reveals } from './form.client.ts'

reveals(document)
posts(document, document.body.dataset.offline ?? '')
