// A TCP proxy between a client and a server that a test can cut and restore.
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

export type CutProxy = {
  readonly port: number
  /** Breaks all connections, and every new one at once. */
  cut(): void
  /** Breaks all connections; new ones work. */
  drop(): void
  /** Withholds the server's responses until the connections are broken. Resolves when a withheld response contains `text`. */
  withhold(text: string): Promise<void>
  mend(): void
  close(): Promise<void>
}

export const cutProxy = async (host: string, port: number): Promise<CutProxy> => {
  const open = new Set<Socket>()
  let isCut = false
  let withheld: ((answer: Buffer) => void) | undefined
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
    far.on('data', (answer) => (withheld === undefined ? near.write(answer) : withheld(answer)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => {
    withheld = undefined
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
        withheld = (answer) => answer.includes(text) && resolve()
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
