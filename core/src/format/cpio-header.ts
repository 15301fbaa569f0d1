// The newc header: Linux Documentation/driver-api/early-userspace/buffer-format.rst. Thirteen fields of eight hex digits.
import { Buffer } from 'node:buffer'

export const cpioMagic = '070701'
export const cpioHeaderBytes = 110
export const cpioTrailer = 'TRAILER!!!'
/** Names and targets the kernel takes, in bytes without the NUL: PATH_MAX is 4096 with it. */
export const cpioNameBytes = 4095
/** Everything starts on a multiple of 4. */
export const cpioAlignment = 4

/** Field names as the kernel's documentation has them, in order. */
export const cpioFields = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'filesize',
  'maj',
  'min',
  'rmaj',
  'rmin',
  'namesize',
  'chksum',
] as const

export type CpioField = (typeof cpioFields)[number]
export type CpioHeader = Readonly<Record<CpioField, number>>

/** File type bits of `mode`. */
export const cpioTypes = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const

export const cpioPadding = (size: number): number => (cpioAlignment - (size % cpioAlignment)) % cpioAlignment

/** Header, name and NUL, padded to 4 bytes. `{ problem }` when a value does not fit its 32 bits. */
export const cpioHead = (
  name: string,
  fields: Omit<CpioHeader, 'maj' | 'min' | 'namesize' | 'chksum'>,
): Uint8Array | { readonly problem: string } => {
  const namesize = Buffer.byteLength(name) + 1
  let digits = ''
  for (const field of cpioFields) {
    const value = field === 'namesize' ? namesize : field in fields ? fields[field as keyof typeof fields] : 0
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      return { problem: `its ${field} is ${value}; expected 0 to ${0xffff_ffff}` }
    }
    digits += value === 0 ? '00000000' : value.toString(16).padStart(8, '0')
  }
  const padding = cpioPadding(cpioHeaderBytes + namesize)
  return Buffer.from(`${cpioMagic}${digits.toUpperCase()}${name}${'\0'.repeat(1 + padding)}`)
}

/** The fields of a header, or what is wrong with it. */
export const parseCpioHeader = (bytes: Uint8Array): CpioHeader | { readonly problem: string } => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (text.slice(0, 6) !== cpioMagic) {
    return { problem: `the magic ${JSON.stringify(text.slice(0, 6))}; expected ${cpioMagic} (newc)` }
  }
  if (!/^[0-9A-Fa-f]{104}$/.test(text.slice(6, cpioHeaderBytes))) return { problem: 'a field that is not 8 hex digits' }
  const values: Partial<Record<CpioField, number>> = {}
  for (const [at, field] of cpioFields.entries())
    values[field] = Number.parseInt(text.slice(6 + at * 8, 14 + at * 8), 16)
  return values as CpioHeader
}
