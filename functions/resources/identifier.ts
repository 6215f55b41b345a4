// Which resource identifiers a program may take for one another: normalised in some other way, or with a longer path. All of them belong to the company
// whose identifier is the shortest of them, or a token for one would be honoured, or a client registered, at the server of another.

/** Escapes that a server in front of the resource decodes. */
const decodedPath = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** One text for all spellings of a host: no dot of the root at its end. */
export const plainHost = (host: string): string => host.toLowerCase().replace(/\.+$/, '')

const pathOf = (url: URL): readonly string[] => {
  // An escaped separator or dot segment acts once it is decoded.
  const decoded = new URL(`http://nowhere.invalid${decodedPath(url.pathname).replaceAll(/[?#]/g, encodeURIComponent)}`)
  return decodedPath(decoded.pathname)
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '')
}

/** The identifier and everything above it, each in one spelling for all that look like it: the origin first. */
export const identifierKeys = (resource: string): readonly string[] => {
  const url = new URL(resource)
  const origin = `${url.protocol}//${plainHost(url.hostname)}${url.port === '' ? '' : `:${url.port}`}`
  const parts = pathOf(url)
  return [origin, ...parts.map((_, at) => `${origin}/${parts.slice(0, at + 1).join('/')}`)]
}
