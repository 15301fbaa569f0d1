// Writes of a virtual machine to a disk, as QEMU's blklogwrites keeps them: the format of Linux' dm-log-writes
// (Documentation/admin-guide/device-mapper/log-writes.rst). The disk at any moment in between can be made from them.
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import * as assert from 'uvu/assert'

/** Bytes. */
const sector = 512
const magic = 0x6a_7366_7773_6872n
const flags = { flush: 1n, discard: 4n }

export interface Write {
  /** File that has its content. */
  readonly log: string
  /** Of its content there, in bytes. */
  readonly from: number
  /** On the disk, in bytes. */
  readonly offset: number
  /** Bytes; 0 where it is a flush alone, or a discard. */
  readonly length: number
  /** Once it is on the medium, all before it are. */
  readonly flush: boolean
}

const read = (path: string, position: number, length: number): Buffer => {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    assert.is(readSync(file, bytes, 0, length, position), length, `${path} ends early`)
    return bytes
  } finally {
    closeSync(file)
  }
}

/** Everything that came to a disk, in its order. */
export const readLog = (log: string): Write[] => {
  const numbers = (position: number): bigint[] => {
    const bytes = read(log, position, 32)
    return [0, 8, 16, 24].map((at) => bytes.readBigUInt64LE(at))
  }
  // Nothing came at all, not even a flush.
  if (statSync(log).size === 0) return []
  const [found, version, count] = numbers(0) as [bigint, bigint, bigint]
  assert.is(found, magic, `${log} is no log of writes`)
  assert.is(version, 1n)
  const writes: Write[] = []
  let from = 2 * sector
  for (let index = 0n; index < count; index++) {
    const [start, sectors, kind] = numbers(from - sector) as [bigint, bigint, bigint]
    const length = (kind & flags.discard) === 0n ? Number(sectors) * sector : 0
    writes.push({ log, from, offset: Number(start) * sector, length, flush: (kind & flags.flush) !== 0n })
    from += length + sector
  }
  return writes
}

export const contentOf = ({ log, from, length }: Write): Buffer => read(log, from, length)

/** An empty disk of a size in bytes, after some writes. */
export const replay = (writes: readonly Write[], path: string, size: number): void => {
  const file = openSync(path, 'w')
  try {
    ftruncateSync(file, size)
    for (const write of writes) if (write.length > 0) writeSync(file, contentOf(write), 0, write.length, write.offset)
  } finally {
    closeSync(file)
  }
}
