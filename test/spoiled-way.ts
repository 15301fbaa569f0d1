// A way to a server of this machine that a test can spoil.
import { connect, createServer, type Socket } from 'node:net'

/** Gets what a connection sends up, with all bytes that went up so far; `fail` answers in place of the server. */
export type OnBytes = (up: Socket, total: number, fail: (status: number) => void, chunk: Buffer) => void

/** A port that leads to the server's, for as long as the work takes. */
export const spoiledWay = async (
  server: number,
  onBytes: OnBytes,
  work: (port: number) => Promise<void>,
): Promise<void> => {
  let total = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((up) => {
    const down = connect(server, '127.0.0.1')
    for (const socket of [up, down]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        up.destroy()
        down.destroy()
      })
    }
    const fail = (status: number): void => {
      down.removeAllListeners('close').destroy()
      up.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    }
    up.on('data', (chunk: Buffer) => {
      total += chunk.length
      if (!down.destroyed) down.write(chunk)
      onBytes(up, total, fail, chunk)
    })
    down.on('data', (chunk) => up.write(chunk))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  try {
    await work(typeof address === 'object' && address ? address.port : 0)
  } finally {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  }
}
