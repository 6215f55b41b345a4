// Resource identifiers that a program may confuse: they differ only in normalisation, or one continues the path of the other. All of them belong to the company
// with the shortest one. Otherwise the server of one company would accept tokens for the server of another.

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
  // An escaped separator or dot segment takes effect once it is decoded.
  const decoded = new URL(`http://nowhere.invalid${decodedPath(url.pathname).replaceAll(/[?#]/g, encodeURIComponent)}`)
  return decodedPath(decoded.pathname)
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '')
}

/** The identifier and its parents, the origin first, each in one canonical spelling for all its look-alikes. */
export const identifierKeys = (resource: string): readonly string[] => {
  const url = new URL(resource)
  const origin = `${url.protocol}//${plainHost(url.hostname)}${url.port === '' ? '' : `:${url.port}`}`
  const parts = pathOf(url)
  return [origin, ...parts.map((_, at) => `${origin}/${parts.slice(0, at + 1).join('/')}`)]
}
