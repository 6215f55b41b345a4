// The service worker for approval requests: it displays the push message, in the person's language or else the browser's, and opens the page on which
// the person decides. It sends no request and stores nothing. Runs in the browser, so it imports nothing of the server.
import { isUuid } from '#shared/kernel/ids'
import { pushDe } from './strings/push-de.ts'
import { type PushStrings, pushEn } from './strings/push-en.ts'

/** The part of the Service Worker and Push APIs that is used here: TypeScript's types of workers and pages exclude each other. */
type Extendable = Event & { waitUntil(work: Promise<unknown>): void }
type Pushed = Extendable & { readonly data: { json(): unknown } | null }
type Clicked = Extendable & { readonly notification: { readonly data: unknown; close(): void } }
type Window = { readonly url: string; focus(): Promise<unknown> }
type Worker = {
  readonly location: { readonly origin: string }
  readonly navigator: { readonly language: string }
  readonly registration: { showNotification(title: string, options: NotificationOptions): Promise<void> }
  readonly clients: {
    matchAll(options: { readonly type: 'window'; readonly includeUncontrolled: true }): Promise<readonly Window[]>
    openWindow(url: string): Promise<unknown>
  }
  addEventListener(type: 'push', listener: (event: Pushed) => void): void
  addEventListener(type: 'notificationclick', listener: (event: Clicked) => void): void
}
const worker = globalThis as unknown as Worker

const LANGUAGES: Readonly<Record<string, PushStrings>> = { en: pushEn, de: pushDe }

type Json = Readonly<Record<string, unknown>>
const asObject = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Always a page of ours, never a URL from the message. */
const pathFor = (id: string, client: string): string => (isUuid(id) ? `/approve?id=${id}${isUuid(client) ? `&client_id=${client}` : ''}` : '/approve')

const show = (event: Pushed): Promise<void> => {
  // Each message must display a notification (Push API, `userVisibleOnly`), even an unreadable one.
  let sent: Json = {}
  try {
    sent = asObject(event.data?.json())
  } catch {}
  const data = asObject(sent.data)
  const lang = asText(data.language) || worker.navigator.language.slice(0, 2)
  const words = LANGUAGES[lang] ?? pushEn
  const id = asText(data.auth_req_id)
  const says = asText(data.binding_message)
  const lines = [
    words.asks.replace('{client}', () => asText(data.client_name) || words.unknown),
    ...(says === '' ? [] : [words.says.replace('{text}', () => says)]),
    ...(data.number_required === 'true' ? [words.number] : []),
  ]
  return worker.registration.showNotification(asText(sent.title) || worker.location.origin, {
    body: lines.join('\n'),
    lang: LANGUAGES[lang] === undefined ? 'en' : lang,
    dir: 'auto',
    tag: id,
    requireInteraction: true,
    data: { path: pathFor(id, asText(data.client_id)) },
  })
}

const open = async (path: string): Promise<void> => {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const there = windows.find(({ url }) => url === `${worker.location.origin}${path}`)
  await (there === undefined ? worker.clients.openWindow(path) : there.focus())
}

worker.addEventListener('push', (event) => event.waitUntil(show(event)))
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(asText(asObject(event.notification.data).path) || '/approve'))
})
