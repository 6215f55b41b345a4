// The configured provider of text messages, or none. Without a provider sending fails; a code is never written elsewhere instead.

import { AppError } from '#shared/kernel/errors'
import type { PlatformCtx } from '#shared/platform/context'
import { traceOutbound } from '#shared/platform/trace/trace'
import type { Sms } from './sms.ts'

export const unconfiguredSms: Sms = {
  send: async () => {
    throw new AppError('sms_not_configured')
  },
}

export const configuredSms = ({ config, tracer }: Pick<PlatformCtx, 'config' | 'tracer'>): Sms => {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_FROM_NUMBER: from } = config
  if (accountSid === undefined || authToken === undefined || from === undefined) return unconfiguredSms
  let opened: Promise<Sms> | undefined
  const send: Sms['send'] = async (message) => {
    opened ??= import('./twilio.ts').then(({ twilioSms }) => twilioSms({ accountSid, authToken, from }))
    return (await opened).send(message)
  }
  return { send: traceOutbound(tracer, 'sms', send) }
}
