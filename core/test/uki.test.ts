import { Buffer } from 'node:buffer'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { readPe } from '../dist/format/pe.js'
import { type UkiParts, writeUki } from '../dist/format/uki.js'
import type { BlobReader } from '../dist/model/blobs.js'
import type { Blob } from '../dist/model/entry.js'
import { peSample, plainChecksum } from './pe-sample.js'

/** Contents in memory, streamed in odd pieces; counts how often each is read to its end. */
class Contents implements BlobReader {
  readonly reads = new Map<string, number>()
  readonly #bytes = new Map<string, Uint8Array>()

  add(bytes: Uint8Array): Blob {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    this.#bytes.set(sha256, bytes)
    return { sha256, size: bytes.length }
  }

  async read({ sha256 }: Blob): Promise<Uint8Array> {
    return this.#bytes.get(sha256)!
  }

  async *stream(blob: Blob): AsyncGenerator<Uint8Array, void, undefined> {
    const bytes = await this.read(blob)
    for (let at = 0; at < bytes.length; at += 70_001) yield bytes.subarray(at, at + 70_001)
    this.reads.set(blob.sha256, (this.reads.get(blob.sha256) ?? 0) + 1)
  }
}

const blobs = new Contents()
const kernelBytes = Buffer.concat([peSample({ sizeOfImage: 0x80000 }), randomBytes(200_001)])
const initrdBytes = randomBytes(300_003)
const parts: UkiParts = {
  stub: peSample(),
  kernel: blobs.add(kernelBytes),
  initrd: blobs.add(initrdBytes),
  cmdline: 'console=ttyS0 ip=dhcp',
  osRelease: 'ID=zero-os\nPRETTY_NAME="Zero-OS"\n',
  uname: '6.12.44-Zero-OS',
}
const write = async (changed: Partial<UkiParts> = {}, sums?: Map<string, number>): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of writeUki({ ...parts, ...changed }, blobs, sums)) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}
const codeOf = async (changed: Partial<UkiParts>): Promise<string | undefined> => {
  try {
    await write(changed)
  } catch (error) {
    return isZosError(error) ? error.code : `no ZosError: ${error}`
  }
  return undefined
}
const sectionsOf = (image: Buffer): Map<string, Buffer> =>
  new Map(
    readPe(image).sections.map(({ name, rawOffset, rawSize, virtualSize }) => [
      name,
      image.subarray(rawOffset, rawOffset + Math.min(rawSize, virtualSize)),
    ]),
  )

test('sections in their order with their contents; checksum and sizes right', async () => {
  const image = await write()
  const pe = readPe(image)
  assert.equal(
    pe.sections.map(({ name }) => name),
    ['.text', '.data', '.osrel', '.cmdline', '.uname', '.initrd', '.linux'],
  )
  const sections = sectionsOf(image)
  assert.is(sections.get('.osrel')?.toString(), parts.osRelease)
  assert.is(sections.get('.cmdline')?.toString(), parts.cmdline)
  assert.is(sections.get('.uname')?.toString(), parts.uname)
  assert.is(Buffer.compare(sections.get('.initrd')!, initrdBytes), 0)
  assert.is(Buffer.compare(sections.get('.linux')!.subarray(0, kernelBytes.length), kernelBytes), 0)
  assert.is(pe.checksum, plainChecksum(image, pe.offsets.optional + 64))
  const last = pe.sections.at(-1)!
  assert.is(last.rawOffset + last.rawSize, image.length)
})

test('the kernel gets the memory that its own header asks for', async () => {
  const linux = readPe(await write()).sections.at(-1)!
  assert.is(linux.virtualSize, 0x80000)
  assert.is(linux.characteristics, 0x60000020)
  const small = blobs.add(peSample({ sizeOfImage: 512 }))
  assert.is(readPe(await write({ kernel: small })).sections.at(-1)!.virtualSize, small.size)
})

test('equal parts give equal bytes; remembered sums spare a reading', async () => {
  const sums = new Map<string, number>()
  const first = await write({}, sums)
  assert.is(sums.size, 2)
  blobs.reads.clear()
  const second = await write({ cmdline: 'quiet' }, sums)
  assert.is(blobs.reads.get(parts.initrd.sha256), 1)
  assert.is(Buffer.compare(await write({}, sums), first), 0)
  assert.is(Buffer.compare(await write({ cmdline: 'quiet' }), second), 0)
})

test('a device tree comes before the kernel', async () => {
  const devicetree = blobs.add(Buffer.from('d00dfeed', 'hex'))
  const names = readPe(await write({ devicetree })).sections.map(({ name }) => name)
  assert.equal(names.slice(-3), ['.dtb', '.initrd', '.linux'])
})

test('an empty command line still has its section', async () => {
  assert.is(
    sectionsOf(await write({ cmdline: '' }))
      .get('.cmdline')
      ?.toString(),
    ' ',
  )
})

test('parts that do not fit together are errors', async () => {
  assert.is(await codeOf({ cmdline: 'a'.repeat(2048) }), 'UKI_CMDLINE')
  assert.is(await codeOf({ cmdline: 'a\nb' }), 'UKI_CMDLINE')
  assert.is(await codeOf({ uname: '6.12 44' }), 'UKI_UNAME')
  assert.is(await codeOf({ uname: '' }), 'UKI_UNAME')
  assert.is(await codeOf({ stub: peSample({ subsystem: 3 }) }), 'UKI_STUB')
  assert.is(await codeOf({ stub: Buffer.from('no stub') }), 'PE_FORMAT')
  assert.is(await codeOf({ kernel: blobs.add(Buffer.from('no kernel')) }), 'UKI_KERNEL')
  assert.is(await codeOf({ kernel: blobs.add(peSample({ machine: 0xaa64 })) }), 'UKI_KERNEL')
  assert.is(await codeOf({ initrd: { ...parts.initrd, size: 5 } }), 'UKI_CONTENT')
  assert.is(await codeOf({ initrd: { ...parts.initrd, size: 400_000 } }), 'UKI_CONTENT')
  assert.is(await codeOf({ initrd: blobs.add(new Uint8Array(0)) }), 'PE_SECTION')
})

const stub = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub'
const program = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
if (existsSync(stub) && existsSync(program)) {
  test('on the real stub, with a real EFI program in the place of the kernel', async () => {
    const image = await write({ stub: readFileSync(stub), kernel: blobs.add(readFileSync(program)) })
    const pe = readPe(image)
    assert.is(pe.checksum, plainChecksum(image, pe.offsets.optional + 64))
    assert.equal(
      pe.sections.slice(-5).map(({ name }) => name),
      ['.osrel', '.cmdline', '.uname', '.initrd', '.linux'],
    )
    assert.ok(pe.sections.slice(-5).every(({ virtualAddress }) => virtualAddress % 4096 === 0))
    assert.is(Buffer.compare(sectionsOf(image).get('.initrd')!, initrdBytes), 0)
  })
} else console.log('skip on the real stub: no systemd-boot-efi on this machine')

test.run()
