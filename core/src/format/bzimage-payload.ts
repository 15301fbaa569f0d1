import { ZosError } from '../error.js'
import { BoundedView } from './bounded-view.js'
import type { Compression } from './decompress.js'

/** Where the compressed kernel lies in a bzImage, in bytes from the file's beginning. */
export interface BzImagePayload {
  readonly offset: number
  readonly size: number
  readonly compression: Exclude<Compression, 'none'> | 'other'
}

/**
 * Finds the compressed ELF file in a bzImage: `payload_offset` and `payload_length` of the setup header count from the
 * end of the setup code (Documentation/arch/x86/boot.rst, protocol 2.08). The length includes four bytes with the size
 * of what is compressed, where the format does not say it itself; these are left out. Throws `BZIMAGE_FORMAT`.
 */
export const bzImagePayload = (bytes: Uint8Array): BzImagePayload => {
  const bad = (message: string): ZosError => new ZosError('BZIMAGE_FORMAT', `kernel image: ${message}`)
  const view = new BoundedView(bytes, (what) => bad(`${what} is not inside the ${bytes.length} bytes`))
  if (view.u32(0x202, 'header magic') !== 0x5372_6448) throw bad('no HdrS at byte 514')
  if (view.u16(0x206, 'protocol') < 0x208) throw bad('its boot protocol does not say where the kernel lies')
  const offset = (1 + (view.u8(0x1f1, 'setup sectors') || 4)) * 512 + view.u32(0x248, 'payload offset')
  const length = view.u32(0x24c, 'payload length')
  const begins = (...magic: number[]): boolean => magic.every((byte, at) => bytes[offset + at] === byte)
  if (length < 8 || offset + length > bytes.length) throw bad(`its kernel, ${length} bytes at ${offset}, is cut off`)
  if (begins(0x1f, 0x8b)) return { offset, size: length, compression: 'gz' }
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return { offset, size: length - 4, compression: 'xz' }
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return { offset, size: length - 4, compression: 'zst' }
  return { offset, size: length, compression: 'other' }
}
