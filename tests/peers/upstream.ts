// Starts the provider of upstream-provider.ts, and takes a browser through it.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

type Client = { readonly client_id: string; readonly client_secret: string }

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no output'))
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`The provider ended with ${code}.`)))
  })

export const startUpstream = async (clients: readonly Client[], redirectUri: string) => {
  const script = fileURLToPath(new URL('./upstream-provider.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...process.env, REDIRECT_URI: redirectUri, CLIENTS: JSON.stringify(clients) },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { url } = JSON.parse(await firstLine(child)) as { url: string }
  const control = async (body: unknown): Promise<void> => {
    const answer = await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(body) })
    if (answer.status !== 204) throw new Error(`The provider answered ${answer.status}: ${await answer.text()}`)
  }

  /** The callback that the browser of a person at the provider (undefined: a person who refuses) brings back to us. */
  const authorize = async (redirectUrl: string, account: string | undefined): Promise<URLSearchParams> => {
    const cookies = new Map<string, string>(account === undefined ? [] : [['account', account]])
    let at = redirectUrl
    for (let step = 0; step < 10; step++) {
      const answer = await fetch(at, { redirect: 'manual', headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } })
      for (const line of answer.headers.getSetCookie()) {
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
        cookies.set(name, value)
      }
      const next = answer.headers.get('location')
      const said = await answer.text()
      if (next === null) throw new Error(`The provider answered ${answer.status}: ${said}`)
      at = new URL(next, url).href
      if (at.startsWith(redirectUri)) return new URL(at).searchParams
    }
    throw new Error('The redirects of the provider do not end.')
  }

  return {
    url,
    control,
    authorize,
    stop: (): void => {
      child.kill()
    },
  }
}
export type Upstream = Awaited<ReturnType<typeof startUpstream>>
