import { ZosError } from '../error.js'
import { BoundedView } from './bounded-view.js'

/** What an ELF file is for: `REL` is an object file or kernel module, `DYN` a library or position-independent program. */
export type ElfType = 'NONE' | 'REL' | 'EXEC' | 'DYN' | 'CORE'

export interface ElfSegment {
  readonly type: number
  readonly offset: number
  readonly fileSize: number
  /** What it takes in memory: a program's data that begin as zeros are not in the file. */
  readonly memorySize: number
  readonly address: bigint
}

/** The file's header and program headers, and where its section headers are. Offsets and sizes in bytes. */
export interface ElfHeader {
  readonly class: 32 | 64
  readonly endian: 'little' | 'big'
  readonly type: ElfType
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number
  readonly segments: readonly ElfSegment[]
  readonly sections: { readonly offset: number; readonly count: number; readonly names: number }
}

export const ELF_SECTIONS_LIMIT = 1_000_000

const types: readonly ElfType[] = ['NONE', 'REL', 'EXEC', 'DYN', 'CORE']
/** The count field says that the real count does not fit into it. */
const PN_XNUM = 0xffff

export const elfError = (code: string, message: string): ZosError =>
  new ZosError(code, `ELF file: ${message}`, { hint: 'look at the file with: readelf -Wa FILE' })

export const elfView = (bytes: Uint8Array, littleEndian: boolean): BoundedView =>
  new BoundedView(
    bytes,
    (what, at, size) =>
      elfError('ELF_TRUNCATED', `${what} (${size} bytes at ${at}) is not inside the file's ${bytes.length} bytes`),
    littleEndian,
  )

/** True for whatever begins with the ELF magic number. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46

/** The view of the whole file, in its own byte order. Throws `ELF_FORMAT` for what is no ELF file. */
export const openElf = (bytes: Uint8Array): { view: BoundedView; wide: boolean } => {
  if (!isElf(bytes)) throw elfError('ELF_FORMAT', 'it does not begin with 7f 45 4c 46')
  const [size, order, version] = bytes.subarray(4, 7)
  if (size !== 1 && size !== 2) throw elfError('ELF_FORMAT', `class ${size}; expected 1 (32 bits) or 2 (64 bits)`)
  if (order !== 1 && order !== 2) throw elfError('ELF_FORMAT', `byte order ${order}; expected 1 (little) or 2 (big)`)
  if (version !== 1) throw elfError('ELF_FORMAT', `version ${version}; expected 1`)
  return { view: elfView(bytes, order === 1), wide: size === 2 }
}

const readSegments = (view: BoundedView, wide: boolean, offset: number, count: number, size: number): ElfSegment[] => {
  if (count === 0) return []
  if (count === PN_XNUM) throw elfError('ELF_LIMIT', 'more than 65534 program headers')
  if (size !== (wide ? 56 : 32)) throw elfError('ELF_FORMAT', `program headers of ${size} bytes`)
  return Array.from({ length: count }, (_, index) => {
    const at = offset + index * size
    const type = view.u32(at, 'program header')
    return wide
      ? {
          type,
          offset: view.u64(at + 8, 'program header'),
          address: view.u64Wide(at + 16, 'program header'),
          fileSize: view.u64(at + 32, 'program header'),
          memorySize: view.u64(at + 40, 'program header'),
        }
      : {
          type,
          offset: view.u32(at + 4, 'program header'),
          address: BigInt(view.u32(at + 8, 'program header')),
          fileSize: view.u32(at + 16, 'program header'),
          memorySize: view.u32(at + 20, 'program header'),
        }
  })
}

/** Format: System V ABI, "Object Files". Throws `ELF_FORMAT`, `ELF_TRUNCATED` or `ELF_LIMIT`. */
export const readElfHeader = (bytes: Uint8Array): ElfHeader => {
  const { view, wide } = openElf(bytes)
  const type = types[view.u16(16, 'ELF header')]
  if (!type) throw elfError('ELF_FORMAT', `type ${view.u16(16, 'ELF header')}; expected 0 to 4`)
  const programs = wide ? view.u64(32, 'ELF header') : view.u32(28, 'ELF header')
  const table = wide ? view.u64(40, 'ELF header') : view.u32(32, 'ELF header')
  // The last seven fields, 16 bits each, of which the first is not needed.
  const tail = wide ? 54 : 42
  const [programSize, programCount, sectionSize, shortCount, shortNames] = [0, 2, 4, 6, 8].map((at) =>
    view.u16(tail + at, 'ELF header'),
  ) as [number, number, number, number, number]
  const segments = readSegments(view, wide, programs, programCount, programSize)
  if (table === 0) return header(view, wide, type, segments, { offset: 0, count: 0, names: 0 })
  if (sectionSize !== (wide ? 64 : 40)) throw elfError('ELF_FORMAT', `section headers of ${sectionSize} bytes`)
  // Counts that do not fit into 16 bits are in the first section header.
  const large = wide ? view.u64(table + 32, 'section header') : view.u32(table + 20, 'section header')
  const count = shortCount === 0 ? large : shortCount
  const names = shortNames === 0xffff ? view.u32(table + (wide ? 40 : 24), 'section header') : shortNames
  if (count > ELF_SECTIONS_LIMIT) throw elfError('ELF_LIMIT', `${count} sections; the limit is ${ELF_SECTIONS_LIMIT}`)
  view.slice(table, count * sectionSize, 'section headers')
  return header(view, wide, type, segments, { offset: table, count, names })
}

const header = (
  view: BoundedView,
  wide: boolean,
  type: ElfType,
  segments: ElfSegment[],
  sections: ElfHeader['sections'],
): ElfHeader => ({
  class: wide ? 64 : 32,
  endian: view.littleEndian ? 'little' : 'big',
  type,
  machine: view.u16(18, 'ELF header'),
  segments,
  sections,
})
