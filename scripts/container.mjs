// Executes the Dockerfile without a container engine: each stage in its own folder, the last one as its user on a read-only file system, with its health
// check, and stopped by its stop signal. `node scripts/container.mjs FOLDER`; the container's environment is taken from this process's environment.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const context = resolve(import.meta.dirname, '..')
const scratch = resolve(process.argv[2] ?? '/tmp/authsec-container')
const say = (text) => process.stdout.write(`${text}\n`)
const fail = (text) => {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

const instructions = readFileSync(join(context, 'Dockerfile'), 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => ({ word: line.split(' ')[0], rest: line.slice(line.indexOf(' ') + 1).trim() }))

const ignored = new Set(readFileSync(join(context, '.dockerignore'), 'utf8').split('\n').filter(Boolean))
const stages = []
for (const { word, rest } of instructions) {
  if (word === 'FROM') {
    const [image, , name] = rest.split(' ')
    if (!/:\d+\.\d+\.\d+/.test(image)) fail(`${image} is not pinned to a version`)
    stages.push({ name: name ?? `stage${stages.length}`, root: join(scratch, name ?? `stage${stages.length}`), cwd: '/', env: {}, user: 'root' })
  } else stages.at(-1).instructions = [...(stages.at(-1).instructions ?? []), { word, rest }]
}
const rootOf = (name) => stages.find((stage) => stage.name === name)?.root ?? fail(`there is no stage ${name}`)

rmSync(scratch, { recursive: true, force: true })
for (const stage of stages) {
  mkdirSync(stage.root, { recursive: true })
  const inside = (path) => join(stage.root, resolve(stage.cwd, path))
  for (const { word, rest } of stage.instructions) {
    say(`${stage.name}: ${word} ${rest.slice(0, 100)}`)
    if (word === 'WORKDIR') {
      stage.cwd = rest
      mkdirSync(inside('.'), { recursive: true })
    } else if (word === 'ENV') for (const pair of rest.split(' ')) stage.env[pair.split('=')[0]] = pair.slice(pair.indexOf('=') + 1)
    else if (word === 'COPY') {
      const parts = rest.split(' ')
      const from = parts[0].startsWith('--from=') ? rootOf(parts.shift().slice('--from='.length)) : context
      const target = parts.pop()
      for (const source of parts) {
        const path = join(from, source)
        if (source === '.')
          for (const entry of readdirSync(from)) if (!ignored.has(entry)) cpSync(join(from, entry), join(inside(target), entry), { recursive: true })
        if (source !== '.')
          cpSync(path, existsSync(inside(target)) && !source.startsWith('/') ? join(inside(target), source) : inside(target), { recursive: true })
      }
    } else if (word === 'RUN') {
      // Packages may already be installed: then a folder of them replaces the installation.
      if (rest.startsWith('npm ci') && process.env.CONTAINER_NODE_MODULES)
        symlinkSync(resolve(process.env.CONTAINER_NODE_MODULES), inside('node_modules'))
      else
        execFileSync('sh', ['-c', rest.replaceAll(' /out', ` ${join(stage.root, 'out')}`)], {
          cwd: inside('.'),
          stdio: ['ignore', 'ignore', 'inherit'],
          env: { ...process.env, ...stage.env },
        })
    } else if (word === 'USER') stage.user = rest
    else if (word === 'HEALTHCHECK') stage.health = JSON.parse(rest.slice(rest.indexOf('CMD ') + 4))
    else if (word === 'STOPSIGNAL') stage.signal = rest
    else if (word === 'CMD') stage.command = JSON.parse(rest)
    else if (word !== 'EXPOSE') fail(`${word} is not supported here`)
  }
}

const last = stages.at(-1)
if (last.user === 'root') fail('the last stage runs as root')
// The user `node` of the image.
const USER_ID = 1000
const app = join(last.root, last.cwd)
const readOnly = (path) => {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) readOnly(child)
    else chmodSync(child, 0o444)
  }
  chmodSync(path, 0o555)
}
readOnly(app)
if (process.getuid() === 0) {
  chownSync(scratch, 0, 0)
  for (let folder = app; folder !== dirname(scratch); folder = dirname(folder)) chmodSync(folder, 0o755)
}
const given = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(DATABASE_|REDIS_|SMTP_|MASTER_KEYS|HASH_KEY|BASE_URL|SIGN_UP|PORT|HOSTS|TRUSTED_PROXIES|STOP_)/.test(name),
  ),
)
const env = { PATH: process.env.PATH, TMPDIR: '/nonexistent', HOME: '/nonexistent', ...last.env, ...given }
const as = process.getuid() === 0 ? { uid: USER_ID, gid: USER_ID } : {}
// Where the kernel allows it, the root file system is remounted read-only.
const canRemount = process.getuid() === 0 && spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -o remount,bind,ro / 2>/dev/null']).status === 0
const [command, ...args] = canRemount
  ? [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount -o remount,bind,ro / && exec setpriv --reuid=${USER_ID} --regid=${USER_ID} --clear-groups "$@"`,
      'sh',
      process.execPath,
      ...last.command.slice(1),
    ]
  : [process.execPath, ...last.command.slice(1)]
say(`run: ${last.command.join(' ')} as ${last.user}, ${canRemount ? 'on a read-only file system' : 'in folders that it cannot write'}`)

const child = spawn(command, args, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'], ...(canRemount ? {} : as) })
let written = ''
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (written += chunk))
const ended = new Promise((done) => child.once('exit', (code) => done(code)))

const healthy = () => spawnSync(process.execPath, last.health.slice(1), { env, ...as }).status === 0
let isHealthy = false
for (let tried = 0; tried < 60 && !isHealthy && child.exitCode === null; tried++) {
  isHealthy = healthy()
  if (!isHealthy) await wait(500)
}
if (!isHealthy) {
  child.kill('SIGKILL')
  fail(`it does not become healthy:\n${written}`)
}
say('healthy')
if (process.getuid() === 0 && !canRemount) {
  const owner = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/Uid:\s+(\d+)/)?.[1]
  if (owner !== String(USER_ID)) fail(`it runs as ${owner}`)
}
const probe = spawnSync('sh', ['-c', `echo x > '${app}/written' 2>/dev/null`], { ...as })
if (probe.status === 0) fail('its user can write its folder')
say(`its user (${last.user}) cannot write its folder`)
child.kill(last.signal)
const code = await Promise.race([ended, wait(40_000).then(() => 'no end')])
if (code !== 0) fail(`stopped by ${last.signal} it ended with ${code}:\n${written.slice(-2000)}`)
if (healthy()) fail('it still answers after it was stopped')
say(`stopped by ${last.signal}`)
