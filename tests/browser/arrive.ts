// A click may return before the browser has left the page. Until the next page has loaded, reads refer to the previous page, and another navigation is interrupted
// by the pending one.
import type { Page } from 'playwright-core'

/** Waits until the page with that heading has loaded. */
export const arrived = async (page: Page, heading: string): Promise<void> => {
  await page.waitForSelector(`h1:text-is(${JSON.stringify(heading)})`)
}

/** Clicks the sign-out button and waits for the response. */
export const signOut = async (page: Page): Promise<void> => {
  await page.click('form[action="/signout"] button')
  await page.waitForURL((url) => url.pathname === '/signin')
}
