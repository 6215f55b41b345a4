// Violations that axe-core finds on the current page, at three widths in both colour schemes.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const WIDTHS = [320, 390, 1280] as const
const SCHEMES = ['light', 'dark'] as const
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Violation = { readonly id: string; readonly nodes: readonly { readonly html: string }[] }
type WithAxe = { readonly axe: { run(): Promise<{ readonly violations: readonly Violation[] }> } }

type Where = { readonly widths?: readonly number[]; readonly schemes?: readonly ('light' | 'dark')[] }

/** The page's context must bypass the content security policy: axe is not the page's own script. */
export const violationsOf = async (page: Page, { widths = WIDTHS, schemes = SCHEMES }: Where = {}): Promise<string[]> => {
  const found: string[] = []
  for (const colorScheme of schemes) {
    for (const width of widths) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      await page.evaluate(source)
      const { violations } = await page.evaluate(() => (globalThis as unknown as WithAxe).axe.run())
      found.push(...violations.map(({ id, nodes }) => `${colorScheme} ${width}: ${id} at ${nodes[0]?.html}`))
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      if (overflow > 0) found.push(`${colorScheme} ${width}: ${overflow} px too wide`)
    }
  }
  return found
}
