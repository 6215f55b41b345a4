// The response envelope of AuthSec's OIDC configuration manager: message, success, data and time.
import * as z from 'zod'
import type { Ctx } from './group.ts'

export const envelope = <S extends z.core.$ZodType>(data: S) =>
  z.object({ message: z.string(), success: z.boolean(), data: data, timestamp: z.string() })

export const enveloped = <D>(ctx: Pick<Ctx, 'clock'>, message: string, data: D, success = true) => ({
  message,
  success,
  data,
  timestamp: ctx.clock.now().toISOString(),
})
