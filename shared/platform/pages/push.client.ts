// Registers the browser for approval requests on the account page: the person allows notifications, the push service issues a subscription, and the
// page's form submits it.
import { enableSubmit, showError } from './form.client.ts'

const WORKER = '/me/push.js'
type WithTrustedTypes = {
  readonly trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(url: string): string } }
}

/** The only URL from which a worker is loaded (Trusted Types). */
const workerAddress = (): string =>
  (globalThis as unknown as WithTrustedTypes).trustedTypes?.createPolicy('push-worker', { createScriptURL: () => WORKER }).createScriptURL('') ??
  WORKER

/** @throws DOMException when the browser or its push service refuses */
const subscribe = async (applicationServerKey: string): Promise<PushSubscription> => {
  await navigator.serviceWorker.register(workerAddress(), { updateViaCache: 'none' })
  const { pushManager } = await navigator.serviceWorker.ready
  // A subscription for another key is unusable, and a removed one must not be reused.
  await (await pushManager.getSubscription())?.unsubscribe()
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })
}

const form = document.querySelector<HTMLFormElement>('[data-push]')
const field = form?.querySelector<HTMLInputElement>('[name=subscription]')
const isAble = isSecureContext && 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

if (form && field && isAble) {
  const { key = '', denied = '', failed = '' } = form.dataset
  form.hidden = false
  for (const part of document.querySelectorAll<HTMLElement>('[data-without-push]')) part.hidden = true
  enableSubmit(form, async () => {
    if (!navigator.onLine) return showError(form, document.body.dataset.offline ?? '')
    if ((await Notification.requestPermission()) !== 'granted') return showError(form, denied)
    try {
      field.value = JSON.stringify(await subscribe(key))
    } catch {
      return showError(form, failed)
    }
    form.submit()
  })
}
