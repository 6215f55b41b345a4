// A wire between a client and a server that a test can cut and mend.
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

export type CutProxy = {
  readonly port: number
  /** Breaks every connection, and every new one as soon as it is made. */
  cut(): void
  /** Breaks every connection; new ones get through. */
  drop(): void
  /** Keeps the server's answers back, until the connections are broken. Resolves when one that was kept back says `text`. */
  withhold(text: string): Promise<void>
  mend(): void
  close(): Promise<void>
}

export const cutProxy = async (host: string, port: number): Promise<CutProxy> => {
  const open = new Set<Socket>()
  let isCut = false
  let heard: ((answer: Buffer) => void) | undefined
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = dial(port, host)
    for (const [mine, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(mine)
      mine.on('error', () => undefined)
      mine.on('close', () => {
        open.delete(mine)
        other.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (answer) => (heard === undefined ? near.write(answer) : heard(answer)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => {
    heard = undefined
    for (const socket of open) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      isCut = true
      drop()
    },
    drop,
    withhold: (text) =>
      new Promise((resolve) => {
        heard = (answer) => answer.includes(text) && resolve()
      }),
    mend: () => {
      isCut = false
    },
    close: () => {
      drop()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
