// Where a person continues after signing in: a path of our own pages, never a URL. The author of a link controls the value.

/** The person's account page. */
export const HOME = '/me'

/** Pages that a sign-in may return to. Pages that only sign out or start an action are not among them. */
const PAGES: readonly string[] = ['/me', '/activate', '/approve', '/oauth/', '/oauth2/']
const LONGEST = 2000
/** Printable ASCII without a backslash, which browsers read as a slash, and without characters that browsers drop. */
const PLAIN = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/
const PLACEHOLDER_ORIGIN = 'http://nowhere.invalid'

const isOurs = (path: string): boolean => PAGES.some((page) => path === page || path.startsWith(page.endsWith('/') ? page : `${page}/`))

/** The unchanged path and query, or undefined when a browser could resolve them to anything but one of our pages. */
export const safeReturn = (text: string | undefined): string | undefined => {
  if (text === undefined || text.length > LONGEST || !PLAIN.test(text)) return undefined
  const url = URL.parse(text, PLACEHOLDER_ORIGIN)
  // Dot segments, their escapes and fragments would lead to another page than the one checked.
  if (url === null || url.origin !== PLACEHOLDER_ORIGIN || `${url.pathname}${url.search}` !== text) return undefined
  return isOurs(url.pathname) && !/%(?:2e|2f|5c)/i.test(url.pathname) ? text : undefined
}
