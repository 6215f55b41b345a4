import type { Binding } from './compile.ts'
import { type Context, failingCondition } from './conditions.ts'

/** Whether the binding counts now: unexpired, and its conditions are met by the context. `now` in milliseconds since 1970. */
export const isLive = ({ expiresAt, conditions }: Binding, context: Context, now: number): boolean =>
  expiresAt > now && (conditions === undefined || (conditions !== 'unusable' && failingCondition(conditions, context, now) === undefined))
