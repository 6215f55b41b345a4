// The source of breached passwords that the configuration selects.
import type { BaseCtx } from '#shared/domains/context'
import { traceOutbound } from '#shared/platform/trace/trace'
import type { BreachedPasswords } from './breached.ts'
import { bundledBreachedPasswords } from './bundled-list.ts'
import { rangeService } from './range-service.ts'

/** The bundled list, and the range service when BREACHED_PASSWORDS_URL is set. */
export const breachedPasswords = ({ config, log, tracer }: Pick<BaseCtx, 'config' | 'log' | 'tracer'>): BreachedPasswords => {
  const shipped = bundledBreachedPasswords()
  if (config.BREACHED_PASSWORDS_URL === undefined) return shipped
  const service = rangeService({ url: config.BREACHED_PASSWORDS_URL, shipped, log })
  return { has: traceOutbound(tracer, 'breached passwords', service.has) }
}
