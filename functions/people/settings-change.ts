// Compares settings before and after a change, and decides whether the change reduces protection.

import type * as z from 'zod'
import { ACR } from '#shared/platform/tokens/acr'
import type { Settings } from './settings.schema.ts'

type Shown = z.output<typeof Settings>

/** All settings under flat names. */
const flat = ({ recovery, quotas, decided: _, ...rest }: Shown) => ({
  ...rest,
  'recovery.backup_codes': recovery.backup_codes,
  'recovery.administrator_pass': recovery.administrator_pass,
  'recovery.waiting_days': recovery.waiting_days,
  ...Object.fromEntries(Object.entries(quotas).map(([name, most]) => [`quotas.${name}`, most])),
})

export type SettingChange = { readonly setting: string; readonly before: unknown; readonly after: unknown }

export const settingChanges = (before: Shown, after: Shown): readonly SettingChange[] => {
  const [was, is] = [Object.entries(flat(before)), new Map<string, unknown>(Object.entries(flat(after)))]
  return was.flatMap(([setting, value]) =>
    JSON.stringify(value) === JSON.stringify(is.get(setting)) ? [] : [{ setting, before: value, after: is.get(setting) }],
  )
}

const on = (_: unknown, after: unknown): boolean => after === true
const off = (_: unknown, after: unknown): boolean => after === false
const longer = (before: unknown, after: unknown): boolean => Number(after) > Number(before)
const shorter = (before: unknown, after: unknown): boolean => Number(after) < Number(before)
const rank = (acr: unknown): number => (ACR as readonly unknown[]).indexOf(acr)

/** For each setting, whether the change reduces protection. */
const WEAKENS: Readonly<Record<string, (before: unknown, after: unknown) => boolean>> = {
  require_second_factor: off,
  admin_acr: (before, after) => rank(after) < rank(before),
  direct_sign_up: on,
  require_login_challenge: off,
  passwordless_totp: on,
  'recovery.backup_codes': on,
  'recovery.administrator_pass': on,
  // null disables this recovery, which is safer than any waiting period.
  'recovery.waiting_days': (before, after) => after !== null && (before === null || Number(after) < Number(before)),
  trust_factors_of: (before, after) => Array.isArray(after) && Array.isArray(before) && after.some((name) => !before.includes(name)),
  ciba_number_matching: off,
  ciba_discloses_accounts: on,
  session_idle_seconds: longer,
  session_absolute_seconds: longer,
  audit_retention_days: shorter,
  delegation_depth: longer,
  // The front end at this origin receives people's passwords.
  login_ui: (_, after) => after !== null,
}

export const isWeaker = ({ setting, before, after }: SettingChange): boolean => WEAKENS[setting]?.(before, after) ?? false
