import { ZosError } from '@zos/core'

const most = 1000

/**
 * The names of the programs inside a busybox, from the table in its binary: sorted names, each ended by a zero byte,
 * `[` and `[[` first, an empty one at the end (busybox's include/applet_tables.h).
 * Throws `DEBIAN_BUSYBOX` where there is no such table.
 */
export const busyboxApplets = (binary: Uint8Array, path: string): string[] => {
  const bytes = Buffer.from(binary.buffer, binary.byteOffset, binary.length)
  const start = bytes.indexOf('\0[\0[[\0', 0, 'latin1')
  const end = start < 0 ? -1 : bytes.indexOf('\0\0', start + 1, 'latin1')
  const names = end < 0 ? [] : bytes.toString('latin1', start + 1, end).split('\0')
  const isSound = names.length > 2 && names.length < most && names.every((name) => /^[a-z0-9_.[-]{1,32}$/i.test(name))
  if (!isSound || !names.includes('sh'))
    throw new ZosError('DEBIAN_BUSYBOX', `${path} has no table of applets: is it a busybox?`)
  return names
}
