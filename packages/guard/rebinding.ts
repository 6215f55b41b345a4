// A server on the loopback interface can be reached by every page that is open on the machine, under any host name whose owner points it there (DNS rebinding;
// Model Context Protocol, Streamable HTTP). So only loopback host names and loopback origins are accepted.
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const isLoopback = (address: string): boolean => {
  try {
    return LOOPBACK.test(new URL(address).hostname)
  } catch {
    return false
  }
}

export const isRebound = (request: Request, resource: string): boolean => {
  if (!isLoopback(resource)) return false
  const [host, origin] = [request.headers.get('host'), request.headers.get('origin')]
  return !isLoopback(host === null ? request.url : `http://${host}`) || (origin !== null && !isLoopback(origin))
}
