// Turns a user agent into a device name that people recognise.
import type { MailLanguage } from './language.ts'

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/\bcurl\//, 'curl'],
  [/\bpython-requests\//i, 'Python'],
  [/\bnode\b|\bundici\b/i, 'Node.js'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]
const firstOf = (table: readonly (readonly [RegExp, string])[], text: string): string | undefined =>
  table.find(([pattern]) => pattern.test(text))?.[1]

type Words = { readonly both: (browser: string, system: string) => string; readonly unknown: string }
const WORDS: Readonly<Record<MailLanguage, Words>> = {
  en: { both: (browser, system) => `${browser} on ${system}`, unknown: 'an unknown device' },
  de: { both: (browser, system) => `${browser} auf ${system}`, unknown: 'ein unbekanntes Gerät' },
}

/** "Firefox on Linux", or "an unknown device" when nothing is recognised. */
export const deviceName = (userAgent: string, language: MailLanguage = 'en'): string => {
  const browser = firstOf(BROWSERS, userAgent)
  const system = firstOf(SYSTEMS, userAgent)
  if (browser && system) return WORDS[language].both(browser, system)
  return browser ?? system ?? WORDS[language].unknown
}
