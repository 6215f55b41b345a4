// The contract of every mail sender.
import { describe, expect, test } from 'vitest'
import { AppError } from '#shared/kernel/errors'
import type { Mail, MailMessage } from './mail.ts'

/** A message as received. */
export type ReceivedMail = MailMessage & {
  /** Recipients in the envelope, not in the header. */
  readonly recipients: readonly string[]
  /** Header names in lower case; empty for senders without headers. */
  readonly headers: readonly string[]
}
export type MailUnderTest = { readonly mail: Mail; received(): Promise<readonly ReceivedMail[]>; close(): Promise<void> }

const sample: MailMessage = {
  to: 'ana@acme.test',
  subject: 'Your code',
  text: 'Hello\n\n123456\n',
  html: '<!doctype html><p>123456</p>',
  fromName: 'Acme',
  messageId: '<0192-1@id.test>',
}

export const mailContract = (name: string, open: () => Promise<MailUnderTest>): void => {
  const using = async (work: (under: MailUnderTest) => Promise<void>): Promise<void> => {
    const under = await open()
    try {
      await work(under)
    } finally {
      await under.close()
    }
  }
  const refused = async (under: MailUnderTest, message: MailMessage): Promise<void> => {
    const error = await under.mail.send(message).then(
      () => undefined,
      (e: unknown) => e,
    )
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'delivery_failed' })
  }

  describe(`mail: ${name}`, () => {
    test('a message arrives complete, once, at its only recipient', () =>
      using(async (under) => {
        await under.mail.send(sample)
        const received = await under.received()
        expect(received).toHaveLength(1)
        expect(received[0]).toMatchObject({ ...sample, recipients: ['ana@acme.test'] })
      }))

    test('names and subjects of any language, long lines and leading dots arrive unchanged', () =>
      using(async (under) => {
        const message = {
          ...sample,
          subject: 'Ihr Code für Größe 漢字 🙂',
          fromName: 'Žluťoučký "Kůň", s.r.o.',
          text: `.\n..dots\n${'ä'.repeat(2000)}\n`,
        }
        await under.mail.send(message)
        expect((await under.received())[0]).toMatchObject({ subject: message.subject, fromName: message.fromName, text: message.text })
      }))

    test.each([
      'Hi\r\nBcc: eve@evil.test',
      'Hi\nBcc: eve@evil.test',
      'Hi\rBcc: eve@evil.test',
      'Hi\u2028Bcc: eve@evil.test',
      'Hi\r\n\r\nBcc: eve@evil.test',
    ])('a line break in the subject or the name does not add a header: %j', (hostile) =>
      using(async (under) => {
        await under.mail.send({ ...sample, subject: hostile, fromName: hostile })
        const [received] = await under.received()
        expect(received).toMatchObject({ subject: 'Hi Bcc: eve@evil.test', fromName: 'Hi Bcc: eve@evil.test', text: sample.text })
        expect(received?.recipients).toEqual(['ana@acme.test'])
        expect(received?.headers).not.toContain('bcc')
      }),
    )

    test.each([
      'ana@acme.test, eve@evil.test',
      'ana@acme.test\r\nBcc: eve@evil.test',
      'ana@acme.test>\r\nRCPT TO:<eve@evil.test',
      'Ana <ana@acme.test>',
      'all: ana@acme.test, eve@evil.test;',
      'ana@acme.test eve@evil.test',
      'ana',
      '',
    ])('a recipient that is not exactly one address is refused: %j', (to) =>
      using(async (under) => {
        await refused(under, { ...sample, to })
        expect(await under.received()).toEqual([])
      }),
    )

    test('a message that is sent twice has the same Message-ID', () =>
      using(async (under) => {
        await under.mail.send(sample)
        await under.mail.send(sample)
        expect((await under.received()).map((message) => message.messageId)).toEqual([sample.messageId, sample.messageId])
      }))
  })
}
