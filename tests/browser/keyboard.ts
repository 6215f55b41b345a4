// Elements of a page that the keyboard cannot reach, or reaches without a visible focus ring.
import type { Page } from 'playwright-core'

/** Every element that can be clicked, followed or filled in. */
const REACHABLE = 'a[href], button, input:not([type=hidden]), select, textarea, summary'

type Marked = { readonly count: number; readonly names: readonly string[] }

/** Names of elements that Tab never reaches, and of elements without a focus ring. */
export const unreachable = async (page: Page): Promise<string[]> => {
  const { count, names } = await page.evaluate((selector): Marked => {
    const seen = [...document.querySelectorAll<HTMLElement>(selector)].filter(
      (element) => element.checkVisibility() && !element.hasAttribute('disabled'),
    )
    for (const [n, element] of seen.entries()) element.dataset.walked = String(n)
    return { count: seen.length, names: seen.map((element) => element.outerHTML.slice(0, 120)) }
  }, REACHABLE)
  const found: string[] = []
  const reached = new Set<number>()
  // Two rounds, because tabbing starts where the page set the focus.
  for (let n = 0; n < 2 * count + 6 && reached.size < count; n++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const active = document.activeElement
      if (!(active instanceof HTMLElement) || active.dataset.walked === undefined) return undefined
      const { outlineStyle, outlineWidth } = getComputedStyle(active)
      return { n: Number(active.dataset.walked), ringed: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 }
    })
    if (at === undefined) continue
    if (!reached.has(at.n) && !at.ringed) found.push(`no ring: ${names[at.n]}`)
    reached.add(at.n)
  }
  return [...found, ...names.filter((_, n) => !reached.has(n)).map((name) => `not reached: ${name}`)]
}
