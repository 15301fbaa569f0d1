import { Buffer } from 'node:buffer'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { readPe } from '../dist/format/pe.js'
import { addPeSections, type PeAddition } from '../dist/format/pe-add.js'
import { PeSum, peChecksum } from '../dist/format/pe-checksum.js'
import { peSample, plainChecksum } from './pe-sample.js'

const images = ['linuxx64.efi.stub', 'linuxaa64.efi.stub', 'systemd-bootx64.efi']
  .map((name) => `/usr/lib/systemd/boot/efi/${name}`)
  .filter(existsSync)
const hasObjdump = spawnSync('objdump', ['--version']).status === 0
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return isZosError(error) ? error.code : `no ZosError: ${error}`
  }
  return undefined
}

test('headers of an image by hand', () => {
  const image = readPe(peSample())
  assert.equal(
    [image.machine, image.subsystem, image.sectionAlignment, image.fileAlignment, image.sizeOfImage],
    [0x8664, 10, 4096, 512, 12288],
  )
  assert.equal(image.sections[1], {
    name: '.data',
    virtualSize: 500,
    virtualAddress: 8192,
    rawSize: 512,
    rawOffset: 1536,
    characteristics: 0x60000020,
  })
})

if (images.length > 0) {
  test('real EFI programs: the checksum in the file is the one that we compute', () => {
    for (const file of images) {
      const bytes = readFileSync(file)
      const { checksum, offsets } = readPe(bytes)
      const field = offsets.optional + 64
      // Stubs from systemd 254 on leave the field empty.
      if (checksum === 0) continue
      assert.is(plainChecksum(bytes, field), checksum, file)
      bytes.writeUInt32LE(0, field)
      assert.is(peChecksum([new PeSum().update(bytes).value], bytes.length), checksum, file)
    }
  })
  if (hasObjdump) {
    test('real EFI programs: sections as objdump lists them', () => {
      for (const file of images) {
        const run = spawnSync('objdump', ['-h', '-p', file], { encoding: 'utf8' })
        // An objdump for one machine does not know the other's images.
        if (run.status !== 0) continue
        const base = Number.parseInt(/^ImageBase\s+([0-9a-f]+)/m.exec(run.stdout)![1]!, 16)
        const listed = [...run.stdout.matchAll(/^ +\d+ (\S+) +[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)/gm)]
        assert.equal(
          readPe(readFileSync(file)).sections.map(({ name, virtualAddress, rawOffset }) => [
            name,
            virtualAddress,
            rawOffset,
          ]),
          listed.map(([, name, address, offset]) => [
            name,
            Number.parseInt(address!, 16) - base,
            Number.parseInt(offset!, 16),
          ]),
        )
      }
    })
  } else console.log('skip sections as objdump lists them: no objdump on this machine')
} else console.log('skip real EFI programs: no systemd-boot-efi on this machine')

test('sums of parts add up, however they are cut (property)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (parts, steps) => {
        const even = parts.map((part) => part.subarray(0, part.length & ~1))
        const whole = Buffer.concat(even)
        const sums = even.map((part) => new PeSum().update(part).value)
        const stream = new PeSum()
        for (let at = 0, turn = 0; at < whole.length; turn++) {
          const step = steps[turn % steps.length]!
          stream.update(whole.subarray(at, at + step))
          at += step
        }
        const expected = plainChecksum(whole, -10)
        assert.is(peChecksum(sums, whole.length), expected)
        assert.is(peChecksum([stream.value], whole.length), expected)
      },
    ),
  )
  assert.is(new PeSum().update(Buffer.alloc(1 << 20, 0xff)).value, 0xffff)
})

test('added sections: aligned, rising, not overlapping, sizes right (property)', () => {
  const addition = fc.record({
    size: fc.integer({ min: 1, max: 100_000 }),
    extra: fc.nat(20_000),
    executable: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(addition, { minLength: 1, maxLength: 8 }), (list) => {
      const stub = peSample()
      const additions = list.map(
        ({ size, extra, executable }, index): PeAddition => ({
          name: `.x${index}`,
          size,
          virtualSize: size + extra,
          executable,
        }),
      )
      const layout = addPeSections(stub, additions)
      const image = readPe(layout.head)
      assert.is(image.sections.length, 2 + additions.length)
      assert.is(image.sizeOfImage % image.sectionAlignment, 0)
      let memory = 0
      let file = stub.length
      for (const section of image.sections) {
        assert.is(section.virtualAddress % 4096, 0)
        assert.ok(section.virtualAddress >= memory)
        memory = section.virtualAddress + Math.max(section.virtualSize, section.rawSize)
      }
      assert.ok(image.sizeOfImage >= memory && image.sizeOfImage < memory + image.sectionAlignment)
      for (const [index, place] of layout.placements.entries()) {
        const section = image.sections[2 + index]!
        assert.equal(
          [section.name, section.rawOffset, section.rawSize, section.virtualSize, section.virtualAddress],
          [place.name, file, place.size + place.padding, additions[index]!.virtualSize, place.virtualAddress],
        )
        assert.is(section.rawSize % 512, 0)
        file += section.rawSize
      }
      assert.is(layout.fileSize, file)
      // What the stub had stays as it was.
      assert.is(Buffer.compare(layout.head.subarray(1024), stub.subarray(1024)), 0)
      assert.equal(image.sections.slice(0, 2), readPe(stub).sections)
    }),
  )
})

test('what cannot be added to is an error that says why', () => {
  const one = [{ name: '.new', size: 4 }]
  const add = (bytes: Uint8Array, additions: readonly PeAddition[] = one) =>
    codeOf(() => addPeSections(bytes, additions))
  assert.is(add(peSample()), undefined)
  assert.is(add(peSample({ certificateSize: 1000 })), 'PE_SIGNED')
  assert.is(add(peSample({ sizeOfHeaders: 512, sections: ['.a', '.b', '.c', '.d', '.e'] })), 'PE_ROOM')
  const used = peSample()
  used[0x44 + 20 + 240 + 80 + 7] = 1
  assert.is(add(used), 'PE_ROOM')
  assert.is(add(peSample(), [{ name: '.text', size: 4 }]), 'PE_SECTION')
  assert.is(add(peSample(), [...one, ...one]), 'PE_SECTION')
  assert.is(add(peSample(), [{ name: '.muchtoolong', size: 4 }]), 'PE_SECTION')
  assert.is(add(peSample(), [{ name: '.empty', size: 0 }]), 'PE_SECTION')
  assert.is(add(peSample(), [{ name: '.huge', size: 4, virtualSize: 2 ** 32 - 1 }]), 'PE_SIZE')
  assert.is(add(peSample().subarray(0, 1200)), 'PE_TRUNCATED')
  assert.is(
    codeOf(() => readPe(Buffer.from('\x7fELF'))),
    'PE_FORMAT',
  )
})

test('damage and truncation give a PE error or a value (property)', () => {
  const samples = [peSample(), ...images.map((file) => readFileSync(file).subarray(0, 4096))]
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(fc.tuple(fc.nat(1023), fc.integer({ min: 1, max: 255 })), { maxLength: 5 }),
      fc.nat(1100),
      fc.boolean(),
      (sample, flips, length, cut) => {
        const bytes = Buffer.from(samples[sample]!)
        for (const [at, mask] of flips) bytes[at] = bytes[at]! ^ mask
        const input = cut ? bytes.subarray(0, length) : bytes
        for (const parse of [readPe, (image: Buffer) => addPeSections(image, [{ name: '.new', size: 4 }])]) {
          const code = codeOf(() => parse(input))
          assert.ok(code === undefined || code.startsWith('PE_'), code)
        }
      },
    ),
    { numRuns: 5000 },
  )
})

if (hasObjdump && images[0]) {
  test('objdump reads a real stub with a section more', async () => {
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs')
    const { tmpdir } = await import('node:os')
    const folder = mkdtempSync(`${tmpdir()}/zos-pe-`)
    const layout = addPeSections(readFileSync(images[0]!), [{ name: '.new', size: 4 }])
    const content = Buffer.concat([layout.head, Buffer.from('text'), Buffer.alloc(layout.placements[0]!.padding)])
    assert.is(content.length, layout.fileSize)
    writeFileSync(`${folder}/image`, content)
    const listing = execFileSync('objdump', ['-s', '-j', '.new', `${folder}/image`], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    assert.match(listing, /74657874 +text/)
  })
}

test.run()
