// A press may return before the browser has left the page: until the next one is there, what is read is of the page before, and going elsewhere is interrupted
// by what was pressed.
import type { Page } from 'playwright-core'

/** Waits until the page with that heading is there. */
export const arrived = async (page: Page, heading: string): Promise<void> => {
  await page.waitForSelector(`h1:text-is(${JSON.stringify(heading)})`)
}

/** Presses the button that ends the session, and waits for what it answers. */
export const signOut = async (page: Page): Promise<void> => {
  await page.click('form[action="/signout"] button')
  await page.waitForURL('**/signin')
}
