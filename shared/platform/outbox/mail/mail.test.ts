import { createServer, type Server, type Socket } from 'node:net'
import { simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { describe, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { ConfigError } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { localMail } from './local.ts'
import { mailContract, type ReceivedMail } from './mail.contract.ts'
import type { MailMessage } from './mail.ts'
import { smtpMail, transportOptions } from './smtp.ts'

const message: MailMessage = { to: 'ana@acme.test', subject: 'S', text: 'T\n', html: '<p>T</p>', fromName: 'Acme', messageId: '<1@id.test>' }

const portOf = (server: { address(): unknown }): number => {
  const address = server.address()
  if (typeof address === 'object' && address !== null && 'port' in address && typeof address.port === 'number') return address.port
  throw new Error('the sink does not listen')
}

const openSink = async (options: SMTPServerOptions = {}) => {
  const received: ReceivedMail[] = []
  const sink = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      simpleParser(stream).then((parsed) => {
        received.push({
          to: parsed.to === undefined || Array.isArray(parsed.to) ? '' : parsed.to.text,
          subject: parsed.subject ?? '',
          text: parsed.text ?? '',
          html: String(parsed.html).trim(),
          fromName: parsed.from?.value[0]?.name ?? '',
          messageId: parsed.messageId ?? '',
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          headers: [...parsed.headers.keys()],
        })
        done()
      }, done)
    },
    ...options,
  })
  sink.on('error', () => undefined)
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  return { received, url: `smtp://127.0.0.1:${portOf(sink.server)}`, close: () => new Promise<void>((resolve) => sink.close(() => resolve())) }
}

mailContract('over SMTP', async () => {
  const sink = await openSink()
  return { mail: smtpMail({ url: sink.url, from: 'no-reply@id.test' }), received: async () => sink.received, close: sink.close }
})

mailContract('kept locally', async () => {
  const mail = localMail(fixedClock('2026-01-01T00:00:00Z'))
  return {
    mail,
    received: async () => mail.outbox.map((one) => ({ ...one, recipients: [one.to], headers: [] })),
    close: async () => undefined,
  }
})

test('the local sender keeps the last 500 messages with their time', async () => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  const mail = localMail(clock)
  for (let n = 0; n < 501; n++) {
    await mail.send({ ...message, subject: `${n}` })
    clock.advance(1)
  }
  const captured = mail.outbox
  expect(captured).toHaveLength(500)
  expect(captured[0]).toMatchObject({ subject: '1', at: new Date('2026-01-01T00:00:01Z') })
  expect(captured.at(-1)).toMatchObject({ subject: '500' })
})

/** A raw TCP server: `behave` gets each connection with its number, from 1. */
const openRaw = async (behave: (socket: Socket, connection: number) => void) => {
  let connections = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    connections += 1
    behave(socket, connections)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${portOf(server)}`,
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const failureOf = async (sent: Promise<void>): Promise<AppError> => {
  const error = await sent.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!(error instanceof AppError)) throw new Error('it was not refused with an AppError')
  return error
}

describe('SMTP failures', () => {
  test('a refused connection is retried once', async () => {
    const server = await openRaw((socket) => socket.end('421 busy\r\n'))
    const error = await failureOf(smtpMail({ url: server.url, from: 'a@id.test' }).send(message))
    expect(error.code).toBe('delivery_failed')
    expect(server.connections()).toBe(2)
    await server.close()
  })

  test('a connection that is refused once is recovered by the retry', async () => {
    let connections = 0
    const sink = await openSink({
      onConnect: (_session, done) => {
        connections += 1
        done(connections === 1 ? Object.assign(new Error('busy'), { responseCode: 421 }) : undefined)
      },
    })
    await smtpMail({ url: sink.url, from: 'a@id.test' }).send(message)
    expect(sink.received).toHaveLength(1)
    await sink.close()
  })

  test('a permanently refused recipient is not retried, and the error contains no address', async () => {
    let requested = 0
    const sink = await openSink({
      onRcptTo: (address, _session, done) => {
        requested += 1
        done(Object.assign(new Error(`no mailbox ${address.address}`), { responseCode: 550 }))
      },
    })
    const error = await failureOf(smtpMail({ url: sink.url, from: 'a@id.test' }).send(message))
    expect(error.code).toBe('delivery_failed')
    expect(error.cause).toMatchObject({ name: 'SmtpFailure', message: 'EENVELOPE 550' })
    for (let e: unknown = error; e instanceof Error; e = e.cause) expect(`${e.message} ${e.stack ?? ''}`).not.toContain('ana@')
    expect(requested).toBe(1)
    await sink.close()
  })

  test('a silent server times out without a retry', async () => {
    const server = await openRaw(() => undefined)
    const error = await failureOf(smtpMail({ url: server.url, from: 'a@id.test', timeoutMs: 50 }).send(message))
    expect(error).toMatchObject({ code: 'delivery_failed', cause: { message: 'ETIMEDOUT' } })
    await server.close()
  })

  test('an unreachable server is delivery_failed', async () => {
    const server = await openRaw(() => undefined)
    await server.close()
    expect(await failureOf(smtpMail({ url: server.url, from: 'a@id.test' }).send(message))).toMatchObject({ code: 'delivery_failed' })
  })

  test.each(['http://mail.test', 'mail.test:25', 'smtp://', 'smtp://mail.test?ignoreTLS=true', 'smtp://mail.test?requireTLS=true&debug=true'])(
    'a URL that is not SMTP stops the start: %s',
    (url) => {
      expect(() => smtpMail({ url, from: 'a@id.test' })).toThrow(ConfigError)
    },
  )

  test.each(['a@id.test\r\nBcc: eve@evil.test', 'no address', 'a@id.test, b@id.test'])(
    'a sender that is not one address stops the start: %j',
    (from) => {
      expect(() => smtpMail({ url: 'smtp://127.0.0.1', from })).toThrow(ConfigError)
    },
  )
})

test.each([
  ['smtp://mail.test', { host: 'mail.test', port: 587, secure: false, requireTLS: false }],
  ['smtp://mail.test:25?requireTLS=true', { port: 25, secure: false, requireTLS: true }],
  ['smtp://ana:p%40ss@mail.test', { auth: { user: 'ana', pass: 'p@ss' }, requireTLS: true }],
  ['smtp://ana:pass@mail.test?requireTLS=false', { requireTLS: true }],
  ['smtp://ana:pass@127.0.0.1:2525', { host: '127.0.0.1', port: 2525, requireTLS: false }],
  ['smtp://ana:pass@[::1]', { host: '::1', requireTLS: false }],
  ['smtp://ana:pass@127.0.0.1.evil.test', { requireTLS: true }],
  ['smtps://ana:pass@mail.test', { port: 465, secure: true }],
])('credentials leave this machine only over TLS: %s', (url, expected) => {
  expect(transportOptions(url, 1000)).toMatchObject(expected)
})
