type Init = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit | Uint8Array | null | undefined
  readonly redirect?: RequestRedirect
  readonly signal?: AbortSignal | undefined
}

/** `fetch` with a new connection for each request: a kept connection may be closed by the other side while this process is busy, and the next request on it fails. */
export const unmetChecks = (address: string | URL, { headers, body, signal, ...init }: Init = {}): Promise<Response> =>
  fetch(address, {
    ...init,
    headers: { ...headers, connection: 'close' },
    body: body instanceof Uint8Array ? new Uint8Array(body) : (body ?? null),
    signal: signal ?? null,
  })
