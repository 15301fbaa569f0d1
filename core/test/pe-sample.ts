import { Buffer } from 'node:buffer'

export interface PeSample {
  readonly machine?: number
  readonly subsystem?: number
  readonly sizeOfHeaders?: number
  readonly sizeOfImage?: number
  readonly certificateSize?: number
  readonly sections?: readonly string[]
}

/** A small PE32+ image by hand, one page of memory and 512 bytes of file for each section. */
export const peSample = (options: PeSample = {}): Buffer => {
  const { machine = 0x8664, subsystem = 10, sizeOfHeaders = 1024, sections = ['.text', '.data'] } = options
  const bytes = Buffer.alloc(sizeOfHeaders + sections.length * 512)
  bytes.write('MZ', 0)
  bytes.writeUInt32LE(0x40, 0x3c)
  bytes.write('PE\0\0', 0x40)
  const coff = 0x44
  bytes.writeUInt16LE(machine, coff)
  bytes.writeUInt16LE(sections.length, coff + 2)
  bytes.writeUInt16LE(240, coff + 16)
  bytes.writeUInt16LE(0x206, coff + 18)
  const optional = coff + 20
  bytes.writeUInt16LE(0x20b, optional)
  bytes.writeUInt32LE(4096, optional + 32)
  bytes.writeUInt32LE(512, optional + 36)
  bytes.writeUInt32LE(options.sizeOfImage ?? (sections.length + 1) * 4096, optional + 56)
  bytes.writeUInt32LE(sizeOfHeaders, optional + 60)
  bytes.writeUInt16LE(subsystem, optional + 68)
  bytes.writeUInt32LE(16, optional + 108)
  bytes.writeUInt32LE(options.certificateSize ?? 0, optional + 112 + 4 * 8 + 4)
  for (const [index, name] of sections.entries()) {
    const at = optional + 240 + index * 40
    bytes.write(name, at)
    bytes.writeUInt32LE(500, at + 8)
    bytes.writeUInt32LE((index + 1) * 4096, at + 12)
    bytes.writeUInt32LE(512, at + 16)
    bytes.writeUInt32LE(sizeOfHeaders + index * 512, at + 20)
    bytes.writeUInt32LE(0x60000020, at + 36)
    bytes.fill(index + 1, sizeOfHeaders + index * 512, sizeOfHeaders + (index + 1) * 512)
  }
  return bytes
}

/** The checksum by the letter: words one by one, each carry added at once, then the length. */
export const plainChecksum = (image: Uint8Array, checksumOffset: number): number => {
  let sum = 0
  for (let at = 0; at < image.length; at += 2) {
    if (at === checksumOffset || at === checksumOffset + 2) continue
    sum += image[at]! + (image[at + 1] ?? 0) * 256
    if (sum > 0xffff) sum -= 0xffff
  }
  return sum + image.length
}
