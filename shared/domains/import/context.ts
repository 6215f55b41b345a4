// The context of an import.
import type { BaseCtx } from '#shared/domains/context'

export type ImportContext = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'config'>
