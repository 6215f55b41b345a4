// Where a person goes on after signing in: a path of our own pages, never an address. Whoever sends a link chooses it.

/** Where a person is at home: their own page. */
export const HOME = '/me'

/** Pages that somebody can be sent back to. What only signs out or begins something is not among them. */
const PAGES: readonly string[] = ['/me', '/activate', '/approve', '/oauth/', '/oauth2/']
const LONGEST = 2000
/** Printable ASCII: no backslash, which browsers read as a slash, and nothing that they drop before they read. */
const PLAIN = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/
const NOWHERE = 'http://nowhere.invalid'

const isOurs = (path: string): boolean => PAGES.some((page) => path === page || path.startsWith(page.endsWith('/') ? page : `${page}/`))

/** The path and query as they were sent, or undefined when a browser would read anything else than one of our pages from them. */
export const safeReturn = (text: string | undefined): string | undefined => {
  if (text === undefined || text.length > LONGEST || !PLAIN.test(text)) return undefined
  const url = URL.parse(text, NOWHERE)
  // Dot segments, escapes of them and a fragment would lead elsewhere than what was judged.
  if (url === null || url.origin !== NOWHERE || `${url.pathname}${url.search}` !== text) return undefined
  return isOurs(url.pathname) && !/%(?:2e|2f|5c)/i.test(url.pathname) ? text : undefined
}
