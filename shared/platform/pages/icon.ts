// The favicon.

/** A neutral keyhole that is visible on light and dark backgrounds. */
export const ICON_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2f5bea"/><path d="M16 7a5 5 0 0 0-2.2 9.5L12 25h8l-1.8-8.5A5 5 0 0 0 16 7z" fill="#fff"/></svg>'

/** Embedded, so that no request is made. */
export const ICON = `data:image/svg+xml,${encodeURIComponent(ICON_SVG)}`
