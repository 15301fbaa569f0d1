import type { BoundedView } from './bounded-view.js'
import { type ElfHeader, type ElfType, elfError, openElf, readElfHeader } from './elf-header.js'

export { type ElfType, isElf } from './elf-header.js'

export interface ElfFile {
  readonly class: 32 | 64
  readonly endian: 'little' | 'big'
  readonly type: ElfType
  /** `e_machine`: 62 is x86-64, 183 is AArch64; `elfArch` names it. */
  readonly machine: number
  /** The dynamic linker that the kernel starts for it. */
  readonly interpreter?: string
  /** Libraries it is linked with, in their order. */
  readonly needed: readonly string[]
  readonly soname?: string
  /** Folders to search for libraries, as written: split at `:`, `$ORIGIN` kept. */
  readonly rpath: readonly string[]
  readonly runpath: readonly string[]
  /** A program that runs at any address (`-pie` or `-static-pie`). */
  readonly pie: boolean
  /** A program that needs no dynamic linker and no library. Never true of libraries and object files. */
  readonly static: boolean
}

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const tag = {
  null: 0,
  needed: 1,
  strtab: 5,
  strsz: 10,
  soname: 14,
  rpath: 15,
  runpath: 29,
  flags1: 0x6ffffffb,
} as const
const DF_1_PIE = 0x0800_0000n
/** Dynamic entries of one file; large desktop programs have some 200. */
const DYNAMIC_LIMIT = 4096
/** Bytes of a path or library name: the kernel's PATH_MAX. */
const NAME_LIMIT = 4096

const arches: Readonly<Record<number, string>> = {
  3: 'i386',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv',
  258: 'loongarch',
}

/** The machine's name as `uname -m` begins, or `machine 99` for one that is not known here. */
export const elfArch = (machine: number): string => arches[machine] ?? `machine ${machine}`

type Dynamic = readonly (readonly [tag: number, value: bigint])[]

const readDynamic = (view: BoundedView, { class: bits, segments }: ElfHeader): Dynamic => {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC)
  if (!segment) return []
  const wide = bits === 64
  const size = wide ? 16 : 8
  const entries: [number, bigint][] = []
  for (let at = segment.offset; at + size <= segment.offset + segment.fileSize; at += size) {
    if (entries.length >= DYNAMIC_LIMIT) throw elfError('ELF_LIMIT', `more than ${DYNAMIC_LIMIT} dynamic entries`)
    const key = wide ? view.u64Wide(at, 'dynamic entry') : BigInt(view.u32(at, 'dynamic entry'))
    if (key === 0n) break
    const value = wide ? view.u64Wide(at + 8, 'dynamic entry') : BigInt(view.u32(at + 4, 'dynamic entry'))
    entries.push([Number(key), value])
  }
  return entries
}

/** Where in the file an address is that the program will have in memory. */
const fileOffset = ({ segments }: ElfHeader, address: bigint): number => {
  for (const segment of segments) {
    const distance = address - segment.address
    if (segment.type === PT_LOAD && distance >= 0n && distance < BigInt(segment.fileSize)) {
      return segment.offset + Number(distance)
    }
  }
  throw elfError('ELF_FORMAT', `the string table's address ${address.toString(16)} is in no segment of the file`)
}

/** Reads names out of the dynamic string table; the table is looked up when the first name is wanted. */
const dynamicNames = (view: BoundedView, header: ElfHeader, dynamic: Dynamic): ((key: number) => string[]) => {
  const first = (key: number): bigint | undefined => dynamic.find(([found]) => found === key)?.[1]
  const table = (): { start: number; size: bigint } => {
    const address = first(tag.strtab)
    const size = first(tag.strsz)
    if (address === undefined || size === undefined) throw elfError('ELF_FORMAT', 'it names libraries without strings')
    return { start: fileOffset(header, address), size }
  }
  return (key) => {
    const offsets = dynamic.filter(([found]) => found === key)
    if (offsets.length === 0) return []
    const { start, size } = table()
    return offsets.map(([, offset]) => {
      if (offset >= size) throw elfError('ELF_FORMAT', `a name at ${offset} of ${size} bytes of strings`)
      return view.text(start + Number(offset), NAME_LIMIT, 'name in the dynamic section')
    })
  }
}

/** Bytes that a program's segments take in memory, once it runs. Throws as `parseElf` does. */
export const elfMemory = (bytes: Uint8Array): number =>
  readElfHeader(bytes)
    .segments.filter(({ type }) => type === PT_LOAD)
    .reduce((sum, { memorySize }) => sum + memorySize, 0)

/**
 * What a program, library or object file is and needs. Reads the headers and the dynamic section only, so it also works
 * on files without section headers. Format: System V ABI, "Object Files" and "Program Loading and Dynamic Linking".
 * Throws `ELF_FORMAT`, `ELF_TRUNCATED` or `ELF_LIMIT`.
 */
export const parseElf = (bytes: Uint8Array): ElfFile => {
  const header = readElfHeader(bytes)
  const { view } = openElf(bytes)
  const dynamic = readDynamic(view, header)
  const names = dynamicNames(view, header, dynamic)
  // Debug files keep the program headers of their program, with sizes of zero.
  const segment = header.segments.find(({ type, fileSize }) => type === PT_INTERP && fileSize > 0)
  const interpreter = segment && view.text(segment.offset, Math.min(segment.fileSize, NAME_LIMIT), 'interpreter')
  const needed = names(tag.needed)
  const [soname] = names(tag.soname)
  const flags = dynamic.find(([key]) => key === tag.flags1)?.[1] ?? 0n
  // Linkers before binutils 2.26 set no flag; a library may name an interpreter too (glibc's own does), and has a soname.
  const program = (flags & DF_1_PIE) !== 0n || (interpreter !== undefined && soname === undefined)
  const pie = header.type === 'DYN' && program
  return {
    class: header.class,
    endian: header.endian,
    type: header.type,
    machine: header.machine,
    ...(interpreter !== undefined && { interpreter }),
    needed,
    ...(soname !== undefined && { soname }),
    rpath: names(tag.rpath).flatMap((path) => path.split(':')),
    runpath: names(tag.runpath).flatMap((path) => path.split(':')),
    pie,
    static: (header.type === 'EXEC' || pie) && interpreter === undefined && needed.length === 0,
  }
}
