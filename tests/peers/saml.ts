// Starts the identity provider of saml-idp.py with our metadata, and creates a company that trusts it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { atomically, forTenant } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { insertSamlProvider } from '#db/store/saml-providers'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('no output'))
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`The identity provider ended with ${code}.`)))
  })

export type Posted = { readonly destination: string; readonly SAMLResponse: string; readonly RelayState: string }
export type SamlUser = { readonly user: string; readonly mail: string; readonly sign: string; readonly encrypt?: string; readonly context?: string }

/** The form that the provider has the person's browser post. */
export const signInThere = async (ssoUrl: string, who: SamlUser): Promise<Posted> => {
  const at = new URL(ssoUrl)
  for (const [name, value] of Object.entries(who)) at.searchParams.set(name, value)
  const answer = (await (await unmetChecks(at)).json()) as Posted & { readonly error?: string }
  if (answer.error !== undefined) throw new Error(`The identity provider refused: ${answer.error}`)
  return answer
}

const trust = async ({ where, company }: AuthorizationServer, clientId: string, url: string, certificate: string): Promise<void> => {
  const at = where.ctx.clock.now()
  await atomically(forTenant(where.db, company.tenantId), (t) =>
    insertSamlProvider(t, {
      id: where.ctx.random.id(),
      clientId,
      providerName: 'pysaml2',
      displayName: 'pysaml2',
      entityId: `${url}/metadata`,
      ssoUrl: `${url}/sso`,
      certificates: [certificate],
      nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      createdAt: at,
      updatedAt: at,
    }),
  )
}

export const startSamlPeer = async () => {
  const server = await startAuthorizationServer()
  const { tenantId } = server.company
  const client = await findDefaultClient(forTenant(server.where.db, tenantId))
  if (client === undefined) throw new Error('no client')
  const folder = await mkdtemp(join(tmpdir(), 'saml-'))
  const [key, certificate, metadata] = ['idp.key', 'idp.pem', 'sp.xml'].map((name) => join(folder, name)) as [string, string, string]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=idp', '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  })
  const ours = await unmetChecks(`${server.issuer}/authsec/hmgr/saml/metadata/${tenantId}/${client.id}`)
  await writeFile(metadata, await ours.text())
  const child = spawn('/usr/bin/python3', [fileURLToPath(new URL('./saml-idp.py', import.meta.url))], {
    env: { ...process.env, IDP: JSON.stringify({ key, certificate, metadata }) },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { url } = JSON.parse(await firstLine(child)) as { url: string }
  await trust(server, client.id, url, await readFile(certificate, 'utf8'))
  return {
    server,
    clientId: client.id,
    stop: async (): Promise<void> => {
      child.kill()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
