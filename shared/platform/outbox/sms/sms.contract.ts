// The contract of every sender of text messages.
import { expect, test } from 'vitest'
import type { Sms, SmsMessage } from './sms.ts'

export type SmsUnderTest = { readonly sms: Sms; readonly received: () => readonly SmsMessage[] }

export const smsContract = (name: string, make: () => Promise<SmsUnderTest>): void => {
  test(`${name}: the message arrives unchanged at the number`, async () => {
    const { sms, received } = await make()
    await sms.send({ to: '+491701234567', text: 'Ihr Code: 123456 – gültig 5 Minuten 🔐' })
    expect(received()).toMatchObject([{ to: '+491701234567', text: 'Ihr Code: 123456 – gültig 5 Minuten 🔐' }])
  })

  test.each(['', '12345', '+0123456789', '+49 170 1234567', '+491701234567,+15005550006', 'tel:+491701234567'])(
    `${name}: %j is not a number, and nothing is sent`,
    async (to) => {
      const { sms, received } = await make()
      await expect(sms.send({ to, text: 'x' })).rejects.toMatchObject({ code: 'sms_number_refused' })
      expect(received()).toEqual([])
    },
  )
}
