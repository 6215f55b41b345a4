// Apache with mod_auth_openidc in front of a page, in its own process.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unmetChecks } from './unmet-checks.ts'

const MODULES = '/usr/lib/apache2/modules'
const PROGRAM = '/usr/sbin/apache2'

/** The path where the set-up script installs it, if it is not installed yet. */
const apache = (): string => {
  const script = fileURLToPath(new URL('../../scripts/relying-party.sh', import.meta.url))
  const said = execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return /APACHE='([^']+)'/.exec(said)?.[1] ?? PROGRAM
}

type Registered = { readonly issuer: string; readonly clientId: string; readonly secret: string }

const configuration = (root: string, port: number, { issuer, clientId, secret }: Registered): string => `
ServerRoot ${root}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${root}/pid
DefaultRuntimeDir ${root}
ErrorLog ${root}/error.log
LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so
LoadModule authn_core_module ${MODULES}/mod_authn_core.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule authz_user_module ${MODULES}/mod_authz_user.so
LoadModule dir_module ${MODULES}/mod_dir.so
LoadModule headers_module ${MODULES}/mod_headers.so
LoadModule auth_openidc_module ${MODULES}/mod_auth_openidc.so
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
DocumentRoot ${root}/site
DirectoryIndex index.html
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID ${clientId}
OIDCClientSecret ${secret}
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI ${placesOf(port).redirectUri}
OIDCCryptoPassphrase ${secret.slice(0, 24)}
OIDCPKCEMethod S256
OIDCScope "openid email"
OIDCRemoteUserClaim email
OIDCSSLValidateServer Off
OIDCSessionType server-cache
OIDCSessionInactivityTimeout 3600
<Directory ${root}/site>
  Require all granted
</Directory>
<Location /protected>
  AuthType openid-connect
  OIDCUnAuthAction auth true
  Require valid-user
  Header always set X-User "expr=%{REMOTE_USER}"
</Location>
`

export const placesOf = (port: number) => ({
  page: `http://127.0.0.1:${port}/protected/`,
  redirectUri: `http://127.0.0.1:${port}/protected/redirect_uri`,
  backchannelLogoutUri: `http://127.0.0.1:${port}/protected/redirect_uri?logout=backchannel`,
  after: `http://127.0.0.1:${port}/`,
})

export const startRelyingParty = async (port: number, registered: Registered) => {
  const program = apache()
  const root = await mkdtemp(join(tmpdir(), 'relying-party-'))
  await chmod(root, 0o755)
  await mkdir(join(root, 'site/protected'), { recursive: true })
  await writeFile(join(root, 'site/index.html'), 'outside')
  await writeFile(join(root, 'site/protected/index.html'), 'inside')
  await writeFile(join(root, 'apache.conf'), configuration(root, port, registered))
  const child: ChildProcess = spawn(program, ['-f', join(root, 'apache.conf'), '-DFOREGROUND'], { stdio: 'inherit' })
  const isUp = async (): Promise<boolean> => (await unmetChecks(placesOf(port).after).catch(() => undefined))?.status === 200
  for (let tries = 0; tries < 100 && !(await isUp()); tries++) await sleep(100)
  return {
    stop: async (): Promise<void> => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await rm(root, { recursive: true, force: true })
    },
  }
}
