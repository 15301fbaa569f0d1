import { elfError, openElf, readElfHeader } from './elf-header.js'

export interface ElfSection {
  readonly name: string
  /** `sh_type`: 1 PROGBITS, 8 NOBITS (no bytes in the file). */
  readonly type: number
  readonly flags: bigint
  readonly size: number
  /** A view into the file; empty for NOBITS. */
  readonly bytes: Uint8Array
}

const SHT_NULL = 0
const SHT_NOBITS = 8
/** Characters of a section's name, and of all together: names of C++ objects have whole mangled symbols in them. */
const NAME_LIMIT = 65_536
const NAMES_LIMIT = 64 * 1024 ** 2

/**
 * All sections in their order, without the empty first one. A file without section headers has none. Format: System V
 * ABI, "Object Files", Sections. Throws `ELF_FORMAT`, `ELF_TRUNCATED` or `ELF_LIMIT`.
 */
export const elfSections = (bytes: Uint8Array): ElfSection[] => {
  const header = readElfHeader(bytes)
  const { offset, count, names } = header.sections
  if (count === 0) return []
  if (names >= count) throw elfError('ELF_FORMAT', `section names in section ${names} of ${count}`)
  const { view, wide } = openElf(bytes)
  const read = (index: number) => {
    const at = offset + index * (wide ? 64 : 40)
    const what = `section header ${index}`
    return wide
      ? {
          name: view.u32(at, what),
          type: view.u32(at + 4, what),
          flags: view.u64Wide(at + 8, what),
          offset: view.u64(at + 24, what),
          size: view.u64(at + 32, what),
        }
      : {
          name: view.u32(at, what),
          type: view.u32(at + 4, what),
          flags: BigInt(view.u32(at + 8, what)),
          offset: view.u32(at + 16, what),
          size: view.u32(at + 20, what),
        }
  }
  const strings = read(names)
  const sections: ElfSection[] = []
  let characters = 0
  for (let index = 1; index < count; index++) {
    const section = read(index)
    if (section.type === SHT_NULL) continue
    if (section.name >= strings.size)
      throw elfError('ELF_FORMAT', `the name of section ${index} is outside of the names`)
    const name = view.text(strings.offset + section.name, NAME_LIMIT, 'section name')
    characters += name.length
    if (characters > NAMES_LIMIT) throw elfError('ELF_LIMIT', `section names of more than ${NAMES_LIMIT} characters`)
    sections.push({
      name,
      type: section.type,
      flags: section.flags,
      size: section.size,
      bytes:
        section.type === SHT_NOBITS ? new Uint8Array(0) : view.slice(section.offset, section.size, `section ${index}`),
    })
  }
  return sections
}

/** The first section of that name, if there is one. */
export const elfSection = (bytes: Uint8Array, name: string): ElfSection | undefined =>
  elfSections(bytes).find((section) => section.name === name)
