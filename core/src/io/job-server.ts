// A pool of job slots that builds share, with each other and with the makes and cargos that they run: a FIFO with a byte
// for each slot that is free, as GNU make's job server has it (https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html).
import { closeSync, constants, openSync, readSync, statSync, writeSync } from 'node:fs'
import { runProcess } from './process.js'

/** The end of one process. Its first slot is its own and is not in the FIFO, so that a process never waits for ever. */
export interface JobServer {
  /** Descriptor for programs that are started; they wait when they read from it. */
  readonly descriptor: number
  /** Takes a slot, if one is free; never waits. */
  take(): boolean
  /** Gives back what was taken, nothing else. */
  give(): void
  close(): void
}

/** Opens the FIFO at a path; `undefined` where there is none, as when the build that made it has ended. */
export const openJobServer = (path: string): JobServer | undefined => {
  if (!statSync(path, { throwIfNoEntry: false })?.isFIFO()) return undefined
  // Both directions: neither opening waits for the other end.
  const descriptor = openSync(path, constants.O_RDWR)
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const byte = Buffer.alloc(1)
  return {
    descriptor,
    take: () => {
      try {
        return readSync(own, byte) === 1
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
        throw error
      }
    },
    give: () => void writeSync(own, '+'),
    close: () => {
      closeSync(descriptor)
      closeSync(own)
    },
  }
}

/** Makes the FIFO, with so many free slots. */
export const makeJobServer = async (
  path: string,
  slots: number,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<JobServer> => {
  const { PATH = '/usr/bin:/bin' } = env
  await runProcess({ file: 'mkfifo', args: ['-m', '600', path], env: { PATH }, cwd: '/', signal })
  const server = openJobServer(path)!
  for (let n = 0; n < slots; n++) server.give()
  return server
}
