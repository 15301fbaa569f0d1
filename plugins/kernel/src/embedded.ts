// Looks for an archive inside a kernel image: what is linked in is read back from the result, not believed.
import { createHash } from 'node:crypto'
import { type Arch, type Blob, ZosError } from '@zos/core'
import { bzImagePayload, decompress, readPe } from '@zos/core/format'

/** So many bytes tell where the archive begins; it is then judged by its digest. */
const headSize = 64

/** The kernel inside an image, decompressed. An Image of arm64 is the kernel itself. */
export const kernelOf = (image: Uint8Array, arch: Arch): AsyncIterable<Uint8Array> => {
  if (arch === 'aarch64') return pieces(image)
  const { offset, size, compression } = bzImagePayload(image)
  if (compression === 'other')
    throw new ZosError('KERNEL_COMPRESSION', 'the kernel is compressed in a way that cannot be read back here', {
      hint: 'set CONFIG_KERNEL_GZIP=y, CONFIG_KERNEL_XZ=y or CONFIG_KERNEL_ZSTD=y',
    })
  // Behind the kernel lie its relocations, which the compressed stream covers too.
  return decompress(pieces(image.subarray(offset, offset + size)), compression, { name: 'the kernel image' })
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 1 << 20
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Finds the archive in the kernel by its first bytes, and compares the digest of all of it. */
export const checkEmbedded = async (
  kernel: AsyncIterable<Uint8Array>,
  archive: Blob,
  beginning: Uint8Array,
): Promise<void> => {
  const head = beginning.subarray(0, Math.min(headSize, archive.size))
  const hash = createHash('sha256')
  let left: number | undefined
  let kept: Uint8Array = new Uint8Array()
  for await (const chunk of kernel) {
    let bytes: Uint8Array = chunk
    if (left === undefined) {
      const both = Buffer.concat([kept, chunk])
      const at = both.indexOf(head)
      if (at < 0) {
        kept = both.subarray(Math.max(0, both.length - head.length + 1))
        continue
      }
      left = archive.size
      bytes = both.subarray(at)
    }
    const part = bytes.subarray(0, left)
    hash.update(part)
    left -= part.length
    if (left === 0) break
  }
  const what = left === undefined ? 'no' : left > 0 ? 'a cut' : hash.digest('hex') === archive.sha256 ? '' : 'another'
  if (what === '') return
  throw new ZosError(
    'KERNEL_EMBED',
    `the linked kernel has ${what} initramfs in it; expected ${archive.sha256} (${archive.size} bytes)`,
    {
      hint: 'run the step again with zos build --rebuild-from; tell the authors of zos if it stays so',
    },
  )
}

/** 0x8664 and 0xaa64 of the PE format. */
const machines: Readonly<Record<Arch, number>> = { x86_64: 0x8664, aarch64: 0xaa64 }

/** Firmware starts the image as a PE program: for this machine, an EFI application, its sections in the file and apart. */
export const checkSections = (image: Uint8Array, arch: Arch): void => {
  const { machine, subsystem, sections } = readPe(image)
  const wrong = (message: string): ZosError =>
    new ZosError('KERNEL_PE', `the linked kernel is no EFI program: ${message}`)
  if (machine !== machines[arch]) throw wrong(`its machine is 0x${machine.toString(16)}`)
  if (subsystem !== 10) throw wrong(`its subsystem is ${subsystem}`)
  let end = 0
  for (const { name, virtualAddress, virtualSize, rawOffset, rawSize } of sections) {
    if (rawOffset + rawSize > image.length) throw wrong(`section ${name} goes beyond the file`)
    if (virtualAddress < end) throw wrong(`section ${name} begins inside the one before`)
    end = virtualAddress + virtualSize
  }
}
