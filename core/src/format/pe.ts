import { ZosError } from '../error.js'
import { BoundedView } from './bounded-view.js'

/** One entry of the section table. Offsets and sizes in bytes; `rawSize` is padded to the file alignment. */
export interface PeSection {
  readonly name: string
  readonly virtualSize: number
  readonly virtualAddress: number
  readonly rawSize: number
  readonly rawOffset: number
  readonly characteristics: number
}

/** The headers of a PE32+ image. */
export interface PeImage {
  /** 0x8664 is x86-64, 0xaa64 is AArch64. */
  readonly machine: number
  readonly sectionAlignment: number
  readonly fileAlignment: number
  readonly sizeOfCode: number
  readonly sizeOfInitializedData: number
  readonly sizeOfImage: number
  readonly sizeOfHeaders: number
  readonly checksum: number
  /** 10 is an EFI application. */
  readonly subsystem: number
  /** Bytes of signatures at the end of the file. */
  readonly certificateSize: number
  readonly sections: readonly PeSection[]
  /** Where the parts of the header are in the file. */
  readonly offsets: { readonly coff: number; readonly optional: number; readonly sectionTable: number }
}

/** What Windows' loader takes; firmware takes no more. */
export const PE_SECTIONS_LIMIT = 96
export const PE_SECTION_HEADER_SIZE = 40

const PE32_PLUS = 0x20b
const COFF_SIZE = 20
const CERTIFICATE_TABLE = 4

export const peError = (code: string, message: string, hint?: string): ZosError =>
  new ZosError(code, `PE image: ${message}`, { hint: hint ?? 'look at the file with: objdump -p FILE' })

const powerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0

/**
 * Reads the headers; the first bytes of a file up to its `SizeOfHeaders` are enough. Format: Microsoft PE Format, "File
 * Headers" and "Optional Header". Throws `PE_FORMAT` or `PE_TRUNCATED`.
 */
export const readPe = (bytes: Uint8Array): PeImage => {
  const view = new BoundedView(bytes, (what, at, size) =>
    peError('PE_TRUNCATED', `${what} (${size} bytes at ${at}) is not inside the ${bytes.length} bytes`),
  )
  if (view.u16(0, 'DOS header') !== 0x5a4d) throw peError('PE_FORMAT', 'it does not begin with MZ')
  const signature = view.u32(0x3c, 'DOS header')
  if (view.u32(signature, 'PE signature') !== 0x4550) throw peError('PE_FORMAT', 'there is no PE signature')
  const coff = signature + 4
  const optional = coff + COFF_SIZE
  const count = view.u16(coff + 2, 'number of sections')
  if (count > PE_SECTIONS_LIMIT) throw peError('PE_FORMAT', `${count} sections; the limit is ${PE_SECTIONS_LIMIT}`)
  const optionalSize = view.u16(coff + 16, 'size of the optional header')
  const magic = view.u16(optional, 'optional header')
  if (magic !== PE32_PLUS) throw peError('PE_FORMAT', `optional header ${magic.toString(16)}; expected 20b (PE32+)`)
  const field = (at: number): number => view.u32(optional + at, 'optional header')
  const sectionAlignment = field(32)
  const fileAlignment = field(36)
  if (!powerOfTwo(sectionAlignment) || !powerOfTwo(fileAlignment)) {
    throw peError('PE_FORMAT', `alignments ${sectionAlignment} and ${fileAlignment}; expected powers of two`)
  }
  const directories = field(108)
  if (optionalSize < 112 + directories * 8) {
    throw peError('PE_FORMAT', `${directories} data directories in an optional header of ${optionalSize} bytes`)
  }
  const sectionTable = optional + optionalSize
  return {
    machine: view.u16(coff, 'machine'),
    sectionAlignment,
    fileAlignment,
    sizeOfCode: field(4),
    sizeOfInitializedData: field(8),
    sizeOfImage: field(56),
    sizeOfHeaders: field(60),
    checksum: field(64),
    subsystem: view.u16(optional + 68, 'optional header'),
    certificateSize: directories > CERTIFICATE_TABLE ? field(112 + CERTIFICATE_TABLE * 8 + 4) : 0,
    sections: Array.from({ length: count }, (_, index) =>
      readSection(view, sectionTable + index * PE_SECTION_HEADER_SIZE),
    ),
    offsets: { coff, optional, sectionTable },
  }
}

const readSection = (view: BoundedView, at: number): PeSection => {
  const name = view.slice(at, 8, 'section name')
  const end = name.indexOf(0)
  return {
    name: new TextDecoder().decode(end < 0 ? name : name.subarray(0, end)),
    virtualSize: view.u32(at + 8, 'section header'),
    virtualAddress: view.u32(at + 12, 'section header'),
    rawSize: view.u32(at + 16, 'section header'),
    rawOffset: view.u32(at + 20, 'section header'),
    characteristics: view.u32(at + 36, 'section header'),
  }
}
