import { ZosError } from '../error.js'
import type { BlobReader } from '../model/blobs.js'
import type { Blob } from '../model/entry.js'
import { readPe } from './pe.js'
import { addPeSections, type PeLayout } from './pe-add.js'
import { PeSum, peChecksum } from './pe-checksum.js'

/** What goes into a unified kernel image, as `systemd-stub` takes it. */
export interface UkiParts {
  /** The whole stub, for instance `linuxx64.efi.stub`: an unsigned EFI application. */
  readonly stub: Uint8Array
  /** A kernel with an EFI stub of its own (`CONFIG_EFI_STUB`). */
  readonly kernel: Blob
  readonly initrd: Blob
  readonly cmdline: string
  /** Content of os-release; its fields name the image in boot menus. */
  readonly osRelease: string
  /** What `uname -r` will say. */
  readonly uname: string
  readonly devicetree?: Blob
}

/** Sums of contents by SHA-256, for the checksum. Whoever keeps it from one image to the next reads each blob once. */
export type UkiSums = Map<string, number>

type Content = Uint8Array | Blob
interface Section {
  readonly name: string
  readonly content: Content
  readonly virtualSize?: number
  readonly executable?: boolean
}

const EFI_APPLICATION = 10
/** COMMAND_LINE_SIZE of x86 and AArch64, without its NUL: the kernel drops what is beyond. */
const CMDLINE_LIMIT = 2047
/** As much of a kernel as is read for its PE headers; they come first. */
const KERNEL_HEAD = 64 * 1024

const isBytes = (content: Content): content is Uint8Array => content instanceof Uint8Array
const sizeOf = (content: Content): number => (isBytes(content) ? content.length : content.size)
const fail = (code: string, message: string, hint: string): ZosError => new ZosError(code, message, { hint })

const checkedCmdline = (cmdline: string): Uint8Array => {
  const bytes = new TextEncoder().encode(cmdline)
  if (bytes.length > CMDLINE_LIMIT) {
    throw fail('UKI_CMDLINE', `the kernel command line has ${bytes.length} bytes`, `the kernel takes ${CMDLINE_LIMIT}`)
  }
  if (/[\0\r\n]/.test(cmdline)) {
    throw fail('UKI_CMDLINE', 'the kernel command line has a line break or NUL in it', 'write it in one line')
  }
  // No section is empty; without one the firmware's own options would count.
  return bytes.length > 0 ? bytes : Uint8Array.of(0x20)
}

const checkedUname = (uname: string): Uint8Array => {
  if (/^[!-~]{1,64}$/.test(uname)) return new TextEncoder().encode(uname)
  throw fail('UKI_UNAME', `${JSON.stringify(uname)} is no kernel release`, 'expected what uname -r says: 6.12.44')
}

const firstBytes = async (chunks: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> => {
  const head = new Uint8Array(size)
  let filled = 0
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, size - filled)
    head.set(part, filled)
    filled += part.length
    if (filled === size) break
  }
  return head.subarray(0, filled)
}

/** Bytes that the kernel occupies in memory; it uses those behind its file's end before it relocates itself. */
const kernelMemory = async (parts: UkiParts, blobs: BlobReader): Promise<number> => {
  const head = await firstBytes(blobs.stream(parts.kernel), Math.min(KERNEL_HEAD, parts.kernel.size))
  const stub = readPe(parts.stub)
  if (stub.subsystem !== EFI_APPLICATION) {
    throw fail('UKI_STUB', `the stub has PE subsystem ${stub.subsystem}; expected 10`, 'it must be an EFI application')
  }
  if (head[0] !== 0x4d || head[1] !== 0x5a) {
    throw fail('UKI_KERNEL', 'the kernel is no EFI program', 'build it with CONFIG_EFI_STUB=y; take bzImage or Image')
  }
  const kernel = readPe(head)
  if (kernel.machine !== stub.machine) {
    const [found, expected] = [kernel.machine, stub.machine].map((machine) => `0x${machine.toString(16)}`)
    throw fail(
      'UKI_KERNEL',
      `the kernel is for machine ${found}, the stub for ${expected}`,
      'take both for one machine',
    )
  }
  return kernel.sizeOfImage
}

/** Sections in their order. The kernel is last: it may decompress beyond its end. */
const ukiSections = (parts: UkiParts, memory: number): Section[] => [
  { name: '.osrel', content: new TextEncoder().encode(parts.osRelease) },
  { name: '.cmdline', content: checkedCmdline(parts.cmdline) },
  { name: '.uname', content: checkedUname(parts.uname) },
  ...(parts.devicetree ? [{ name: '.dtb', content: parts.devicetree }] : []),
  { name: '.initrd', content: parts.initrd },
  { name: '.linux', content: parts.kernel, virtualSize: memory, executable: true },
]

async function* chunksOf(
  name: string,
  content: Content,
  blobs: BlobReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (isBytes(content)) {
    yield content
    return
  }
  let size = 0
  for await (const chunk of blobs.stream(content)) {
    size += chunk.length
    if (size > content.size) break
    yield chunk
  }
  if (size === content.size) return
  const found = size > content.size ? 'more' : `${size}`
  throw fail('UKI_CONTENT', `section ${name} got ${found} bytes of ${content.size}`, 'the content changed meanwhile')
}

const sumOf = async (section: Section, blobs: BlobReader, sums: UkiSums): Promise<number> => {
  const { name, content } = section
  const known = isBytes(content) ? undefined : sums.get(content.sha256)
  if (known !== undefined) return known
  const sum = new PeSum()
  for await (const chunk of chunksOf(name, content, blobs)) sum.update(chunk)
  if (!isBytes(content)) sums.set(content.sha256, sum.value)
  return sum.value
}

const setChecksum = async (layout: PeLayout, sections: readonly Section[], blobs: BlobReader, sums: UkiSums) => {
  const parts = [new PeSum().update(layout.head).value]
  for (const section of sections) parts.push(await sumOf(section, blobs, sums))
  const view = new DataView(layout.head.buffer, layout.head.byteOffset, layout.head.length)
  view.setUint32(layout.checksumOffset, peChecksum(parts, layout.fileSize), true)
}

/**
 * Writes a unified kernel image as a stream; kernel and initrd are never whole in memory. There is no time in it: equal
 * parts give equal bytes. Format: the UAPI Group's Unified Kernel Image. Throws `UKI_*` for parts that do not fit
 * together and `PE_*` for a stub or kernel that is no usable PE image.
 */
export async function* writeUki(
  parts: UkiParts,
  blobs: BlobReader,
  sums: UkiSums = new Map(),
): AsyncGenerator<Uint8Array, void, undefined> {
  const sections = ukiSections(parts, await kernelMemory(parts, blobs))
  const layout = addPeSections(
    parts.stub,
    sections.map(({ content, ...section }) => ({ ...section, size: sizeOf(content) })),
  )
  await setChecksum(layout, sections, blobs, sums)
  yield layout.head
  for (const [index, { name, content }] of sections.entries()) {
    yield* chunksOf(name, content, blobs)
    yield new Uint8Array(layout.placements[index]!.padding)
  }
}
