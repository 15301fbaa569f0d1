// Where the archive of an image lies in a file.
import { open } from 'node:fs/promises'
import type { Compression } from '../format/decompress.js'

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['gz', [0x1f, 0x8b]],
  ['zst', [0x28, 0xb5, 0x2f, 0xfd]],
  ['none', [0x30, 0x37, 0x30, 0x37]],
]

/** From `start` to before `end`, bytes of the file. */
export interface ImageArchive {
  readonly start: number
  readonly end: number
  readonly compression: Compression
}

/** The whole file, or the section `.initrd` of a unified kernel image. `wrong` makes the error of a file that is neither. */
export const archiveIn = async (file: string, wrong: (what: string) => Error): Promise<ImageArchive> => {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const read = async (position: number, length: number): Promise<Buffer> => {
      const bytes = Buffer.alloc(Math.min(length, size - position))
      await handle.read(bytes, 0, bytes.length, position)
      return bytes
    }
    let [start, end] = [0, size]
    const head = await read(0, 64 << 10)
    if (head[0] === 0x4d && head[1] === 0x5a) {
      const { readPe } = await import('../format/pe.js')
      const section = readPe(head).sections.find(({ name }) => name === '.initrd')
      if (!section)
        throw wrong('a kernel without an initramfs beside it (.initrd); name the initramfs or the output folder')
      start = section.rawOffset
      end = start + Math.min(section.virtualSize, section.rawSize)
    }
    const magic = await read(start, 8)
    const found = magics.find(([, bytes]) => bytes.every((byte, index) => magic[index] === byte))
    if (!found) throw wrong('neither a lock, nor an output folder, nor an archive or kernel image')
    return { start, end, compression: found[0] }
  } finally {
    await handle.close()
  }
}
