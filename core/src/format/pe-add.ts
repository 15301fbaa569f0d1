import { PE_SECTION_HEADER_SIZE, PE_SECTIONS_LIMIT, type PeImage, peError, readPe } from './pe.js'

/** A section to add. `virtualSize` may be larger than its `size` in bytes: the rest is zero in memory. */
export interface PeAddition {
  readonly name: string
  readonly size: number
  readonly virtualSize?: number
  readonly executable?: boolean
}

/** Where the content of an added section goes in the file: `size` bytes at `offset`, then `padding` zeros. */
export interface PePlacement {
  readonly name: string
  readonly offset: number
  readonly size: number
  readonly padding: number
  readonly virtualAddress: number
}

/** The new image: `head` (the old image with new headers, checksum zero), then the placements without gaps. */
export interface PeLayout {
  readonly head: Uint8Array
  readonly placements: readonly PePlacement[]
  readonly fileSize: number
  /** Where in `head` the 32-bit checksum belongs. */
  readonly checksumOffset: number
}

const CODE = 0x0000_0020
const INITIALIZED_DATA = 0x0000_0040
const EXECUTE = 0x2000_0000
const READ = 0x4000_0000
/** Firmware sets rights by page. */
const PAGE = 4096
const SIZE_LIMIT = 2 ** 32 - 1

const align = (value: number, to: number): number => Math.ceil(value / to) * to

const checkImage = (image: PeImage, bytes: Uint8Array, additions: readonly PeAddition[]): void => {
  if (image.certificateSize > 0) {
    throw peError('PE_SIGNED', 'it is signed; a section would break the signature', 'take an unsigned stub, sign last')
  }
  if (image.fileAlignment < 512)
    throw peError('PE_FORMAT', `file alignment ${image.fileAlignment}; expected 512 or more`)
  for (const { name, rawOffset, rawSize } of image.sections) {
    if (rawOffset + rawSize > bytes.length) {
      throw peError('PE_TRUNCATED', `section ${name} ends at ${rawOffset + rawSize}, the file at ${bytes.length}`)
    }
  }
  const names = new Set(image.sections.map(({ name }) => name))
  for (const { name, size } of additions) {
    if (size < 1) throw peError('PE_SECTION', `section ${name} would be empty`)
    if (!/^\.[a-z0-9]{1,7}$/.test(name)) throw peError('PE_SECTION', `${name} cannot be the name of a section`)
    if (names.has(name)) throw peError('PE_SECTION', `there is a section ${name} already`)
    names.add(name)
  }
}

/** The new section headers must fit in front of the first section's content, where nothing else is. */
const checkRoom = (image: PeImage, bytes: Uint8Array, added: number): void => {
  const start = image.offsets.sectionTable + image.sections.length * PE_SECTION_HEADER_SIZE
  const end = start + added * PE_SECTION_HEADER_SIZE
  const limits = image.sections.filter(({ rawSize }) => rawSize > 0).map(({ rawOffset }) => rawOffset)
  const limit = Math.min(image.sizeOfHeaders, bytes.length, ...limits)
  if (end > limit || image.sections.length + added > PE_SECTIONS_LIMIT) {
    const free = Math.max(0, Math.floor((limit - start) / PE_SECTION_HEADER_SIZE))
    throw peError('PE_ROOM', `room for ${free} more section headers; ${added} are to be added`)
  }
  if (bytes.subarray(start, end).some((byte) => byte !== 0)) {
    throw peError('PE_ROOM', 'the bytes behind its section table are in use')
  }
}

const writeHeader = (
  view: DataView,
  at: number,
  { name, size, virtualSize, executable }: Placed,
  place: PePlacement,
) => {
  for (let index = 0; index < name.length; index++) view.setUint8(at + index, name.charCodeAt(index))
  view.setUint32(at + 8, virtualSize, true)
  view.setUint32(at + 12, place.virtualAddress, true)
  view.setUint32(at + 16, size + place.padding, true)
  view.setUint32(at + 20, place.offset, true)
  view.setUint32(at + 36, executable ? CODE | EXECUTE | READ : INITIALIZED_DATA | READ, true)
}

type Placed = Required<PeAddition>

/**
 * Adds sections behind those of an image, at page-aligned addresses in rising order; SizeOfImage and the sizes of code
 * and data are made right, times stay. Throws `PE_*`: no room for headers, a signed image, a name that is taken.
 */
export const addPeSections = (bytes: Uint8Array, additions: readonly PeAddition[]): PeLayout => {
  const image = readPe(bytes)
  checkImage(image, bytes, additions)
  checkRoom(image, bytes, additions.length)
  const { coff, optional, sectionTable } = image.offsets
  const head = new Uint8Array(align(bytes.length, image.fileAlignment))
  head.set(bytes)
  const view = new DataView(head.buffer)

  const pageSize = Math.max(PAGE, image.sectionAlignment)
  let memoryEnd = Math.max(
    image.sizeOfHeaders,
    ...image.sections.map((section) => section.virtualAddress + Math.max(section.virtualSize, section.rawSize)),
  )
  let fileSize = head.length
  let code = image.sizeOfCode
  let data = image.sizeOfInitializedData
  const placements = additions.map((addition, index): PePlacement => {
    const { name, size } = addition
    const virtualSize = Math.max(addition.virtualSize ?? 0, size)
    const section: Placed = { name, size, virtualSize, executable: addition.executable ?? false }
    const padding = align(size, image.fileAlignment) - size
    const place = { name, offset: fileSize, size, padding, virtualAddress: align(memoryEnd, pageSize) }
    const slot = sectionTable + (image.sections.length + index) * PE_SECTION_HEADER_SIZE
    fileSize += size + padding
    memoryEnd = place.virtualAddress + Math.max(section.virtualSize, size + padding)
    if (fileSize > SIZE_LIMIT || align(memoryEnd, pageSize) > SIZE_LIMIT) {
      throw peError('PE_SIZE', `with section ${name} it is larger than 4 GiB`)
    }
    writeHeader(view, slot, section, place)
    if (section.executable) code += size + padding
    else data += size + padding
    return place
  })
  view.setUint16(coff + 2, image.sections.length + additions.length, true)
  view.setUint32(optional + 4, code, true)
  view.setUint32(optional + 8, data, true)
  view.setUint32(optional + 56, align(memoryEnd, image.sectionAlignment), true)
  view.setUint32(optional + 64, 0, true)
  return { head, placements, fileSize, checksumOffset: optional + 64 }
}
