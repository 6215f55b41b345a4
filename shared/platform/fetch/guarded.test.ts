import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { isPublicAddress } from './addresses.ts'
import { type AddressResolver, FetchFailure, type GuardOptions, guardedFetch } from './guarded.ts'
import { checkOutboundUrl } from './outbound-url.ts'

const strict = { loopback: false }

describe('URLs', () => {
  test.each([
    'https://hooks.acme.com/in',
    'https://hooks.acme.com',
    'https://hooks.acme.com:443/in',
    'https://hooks.acme.com:8443/in?a=1',
    'https://xn--bcher-kva.ch/in',
  ])('%s is accepted', (typed) => {
    expect(checkOutboundUrl(typed, strict)).toBeInstanceOf(URL)
  })

  test.each([
    ['http://hooks.acme.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://hooks.acme.com/', 'scheme'],
    ['https://user:secret@hooks.acme.com/', 'credentials'],
    ['https://@hooks.acme.com/', 'credentials'],
    ['https:/user:secret@hooks.acme.com/', 'spelling'],
    ['https://hooks.acme.com/#f', 'fragment'],
    ['https://hooks.acme.com:22/', 'port'],
    ['https://hooks.acme.com:6379/', 'port'],
    ['https://127.0.0.1/', 'host'],
    ['https://10.0.0.1/', 'host'],
    ['https://8.8.8.8/', 'host'],
    ['https://[::1]/', 'host'],
    ['https://[::ffff:127.0.0.1]/', 'spelling'],
    ['https://2130706433/', 'spelling'],
    ['https://0x7f000001/', 'spelling'],
    ['https://0177.0.0.1/', 'spelling'],
    ['https://127.1/', 'spelling'],
    ['https://localhost/', 'host'],
    ['https://intranet/', 'host'],
    ['https://wiki/', 'host'],
    ['https://hooks.7up/', 'host'],
    ['https://hooks.0xg/', 'host'],
    [`https://${'a.'.repeat(125)}acme.com/`, 'host'],
    ['https://hooks.acme.com:/', 'spelling'],
    ['https://hooks.acme.com:0443/', 'spelling'],
    ['https://db.internal/', 'host'],
    ['https://printer.local/', 'host'],
    ['https://hooks.acme.com./', 'host'],
    ['https://-bad.acme.com/', 'host'],
    ['https://hooks_acme.com/', 'host'],
    ['https://hooks.acme.com\\@10.0.0.1/', 'malformed'],
    ['https://hooks.acme.com\t/', 'malformed'],
    ['https://ｈooks.acme.com/', 'malformed'],
    ['https://hooks%2eacme.com/', 'spelling'],
    ['https:/hooks.acme.com/', 'spelling'],
    ['https:hooks.acme.com/', 'spelling'],
    ['nonsense', 'malformed'],
    [`https://hooks.acme.com/${'a'.repeat(3000)}`, 'too_long'],
  ])('%s is refused: %s', (typed, why) => {
    expect(checkOutboundUrl(typed, strict)).toBe(why)
  })

  test('loopback URLs, also over plain http, are accepted only with OUTBOUND_LOOPBACK', () => {
    for (const typed of ['http://127.0.0.1:9000/in', 'http://localhost:9000/in', 'http://[::1]:9000/in']) {
      expect(checkOutboundUrl(typed, { loopback: true })).toBeInstanceOf(URL)
      expect(checkOutboundUrl(typed, strict)).toBe('scheme')
    }
    expect(checkOutboundUrl('http://10.0.0.1/', { loopback: true })).toBe('scheme')
    expect(checkOutboundUrl('ftp://127.0.0.1/', { loopback: true })).toBe('scheme')
    expect(checkOutboundUrl('https://169.254.169.254/', { loopback: true })).toBe('host')
  })

  test('an accepted URL has exactly the host in its text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string().map((text) => `https://${text}`),
        ),
        (typed) => {
          const url = checkOutboundUrl(typed, strict)
          if (typeof url !== 'string') expect(typed.toLowerCase().startsWith(`https://${url.host}`)).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('addresses', () => {
  test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each(
    `0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.192
    192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:8.8.8.8
    ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 fe80::1%eth0 fec0::1 ff02::1 2606:4700::1111%eth0 nonsense 8.8.8.8.8`.split(/\s+/),
  )('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})
const listen = async (server: Server): Promise<number> => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const serve = async (answer: RequestListener): Promise<{ url: string; port: number; seen: IncomingMessage[] }> => {
  const seen: IncomingMessage[] = []
  const port = await listen(
    createServer((request, response) => {
      seen.push(request)
      answer(request, response)
    }),
  )
  return { url: `http://127.0.0.1:${port}/in`, port, seen }
}

/** A resolver with the given answers in order; the last one repeats. */
const resolving = (...answers: readonly (readonly string[])[]): AddressResolver & { readonly lookups: string[] } => {
  const left = [...answers]
  const lookups: string[] = []
  return {
    lookups,
    resolve: async (host) => {
      lookups.push(host)
      return (left.length > 1 ? left.shift() : left[0]) ?? []
    },
  }
}
const outcome = async (options: Partial<GuardOptions>, url: string): Promise<string> => {
  try {
    const { status } = await guardedFetch({ resolver: resolving([]), loopback: true, ...options }).send({ url, method: 'POST', body: '{}' })
    return `answered ${status}`
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    return error.reason
  }
}

describe('connections', () => {
  test('a response is returned with its status', async () => {
    const { url, seen } = await serve((_, response) => response.writeHead(201, { 'retry-after': '7' }).end('done'))
    const answer = await guardedFetch({ resolver: resolving([]), loopback: true }).send({ url, method: 'POST', body: '{}', headers: { 'x-a': 'b' } })
    expect([answer.status, Buffer.from(answer.body).toString(), answer.header('retry-after')]).toEqual([201, 'done', '7'])
    expect(seen[0]).toMatchObject({ method: 'POST', headers: { 'x-a': 'b', connection: 'close', 'accept-encoding': 'identity' } })
  })

  test.each([204, 299, 400, 404, 500])('status %i is returned as a response', async (status) => {
    const { url } = await serve((_, response) => response.writeHead(status).end())
    expect(await outcome({}, url)).toBe(`answered ${status}`)
  })

  test.each(['file:///etc/passwd', 'http://10.0.0.1/', 'https://10.0.0.1/', 'nonsense'])(
    '%s is checked again when a request is sent',
    async (url) => {
      expect(await outcome({}, url)).toBe('url_refused')
    },
  )

  test('all addresses of a name are checked when the connection is made', async () => {
    const { port, seen } = await serve((_, response) => response.end())
    const url = `https://hooks.acme.com:${port}/in`
    for (const addresses of [['10.0.0.1'], ['169.254.169.254'], ['8.8.8.8', '192.168.0.1'], ['::ffff:127.0.0.1'], ['64:ff9b::7f00:1']])
      expect(await outcome({ resolver: resolving(addresses) }, url)).toBe('no_public_address')
    for (const addresses of [['127.0.0.1'], ['::1'], ['8.8.8.8', '127.0.0.1']])
      expect(await outcome({ resolver: resolving(addresses), loopback: false }, 'https://hooks.acme.com/')).toBe('no_public_address')
    expect(await outcome({ resolver: resolving([]) }, url)).toBe('no_public_address')
    expect(await outcome({ resolver: { resolve: () => Promise.reject(new Error('SERVFAIL')) } }, url)).toBe('no_public_address')
    expect(seen).toHaveLength(0)
  })

  test('a name that later resolves to an internal address is checked again at the next connection', async () => {
    const resolver = resolving(['127.0.0.1'], ['10.0.0.1'])
    const { port, seen } = await serve((_, response) => response.end())
    const url = `https://hooks.acme.com:${port}/in`
    // The server has no TLS; the test only shows that it was reached.
    expect(await outcome({ resolver }, url)).toBe('connection')
    expect(await outcome({ resolver }, url)).toBe('no_public_address')
    expect(resolver.lookups).toEqual(['hooks.acme.com', 'hooks.acme.com'])
    expect(seen).toHaveLength(0)
  })

  test('a connection resolves once: the checked address is the one connected to', async () => {
    const resolver = resolving(['127.0.0.1'], ['10.0.0.1'])
    const { port } = await serve((_, response) => response.end())
    await outcome({ resolver }, `https://hooks.acme.com:${port}/in`)
    expect(resolver.lookups).toHaveLength(1)
  })

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is a failure and is not followed', async (status) => {
    const other = await serve((_, response) => response.end())
    const { url } = await serve((_, response) => response.writeHead(status, { location: other.url }).end())
    expect(await outcome({}, url)).toBe('redirect')
    expect(other.seen).toHaveLength(0)
  })

  test('a server that does not answer, or answers too slowly, times out', async () => {
    const silent = await serve(() => undefined)
    expect(await outcome({ timeoutMs: 100 }, silent.url)).toBe('timeout')
    const dripping = await serve((_, response) => {
      const drip = setInterval(() => response.write('.'), 10)
      response.on('close', () => clearInterval(drip))
    })
    expect(await outcome({ timeoutMs: 200 }, dripping.url)).toBe('timeout')
    expect(await outcome({ timeoutMs: 100, resolver: { resolve: () => new Promise(() => undefined) } }, 'https://hooks.acme.com/')).toBe('timeout')
  })

  test('an endless body is too_large', async () => {
    const { url } = await serve((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      }
      response.on('drain', more)
      more()
    })
    expect(await outcome({}, url)).toBe('too_large')
  })

  test('a dropped connection is a failure', async () => {
    const { url } = await serve((request) => request.socket.destroy())
    expect(await outcome({}, url)).toBe('connection')
    const cut = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('ten')
      setTimeout(() => request.socket.destroy(), 20)
    })
    expect(await outcome({}, cut.url)).toBe('connection')
  })

  test('a protocol switch is a failure without a timeout', async () => {
    const turning = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'))
    })
    await new Promise<void>((resolve) => turning.listen(0, '127.0.0.1', resolve))
    try {
      expect(await outcome({}, `http://127.0.0.1:${(turning.address() as AddressInfo).port}/in`)).toBe('connection')
    } finally {
      turning.close()
    }
  })

  test('a caller cannot override Host', async () => {
    const { url, port, seen } = await serve((_, response) => response.end())
    await guardedFetch({ resolver: resolving([]), loopback: true }).send({ url, method: 'GET', headers: { host: 'other.example' } })
    expect(seen[0]?.headers.host).toBe(`127.0.0.1:${port}`)
  })
})

describe('TLS', () => {
  const certificate = (name: string): { readonly key: string; readonly cert: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'guarded-'))
    try {
      const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert],
        {
          stdio: 'ignore',
        },
      )
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('server name, Host and certificate use the host name although the address is pinned', async () => {
    const pair = certificate('hooks.acme.com')
    const seen: unknown[] = []
    const port = await listen(
      createTlsServer(pair, (request, response) => {
        seen.push([(request.socket as TLSSocket & { servername?: string }).servername, request.headers.host])
        response.end()
      }) as unknown as Server,
    )
    const resolver = resolving(['127.0.0.1'])
    expect(await outcome({ resolver, ca: pair.cert }, `https://hooks.acme.com:${port}/in`)).toBe('answered 200')
    expect(seen).toEqual([['hooks.acme.com', `hooks.acme.com:${port}`]])
    expect(await outcome({ resolver, ca: pair.cert }, `https://other.acme.com:${port}/in`)).toBe('connection')
    expect(await outcome({ resolver }, `https://hooks.acme.com:${port}/in`)).toBe('connection')
    expect(seen).toHaveLength(1)
  })
})
