import { Buffer } from 'node:buffer'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { elfArch, isElf, parseElf } from '../dist/format/elf.js'
import { elfSection, elfSections } from '../dist/format/elf-sections.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-elf-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const hasCompiler = has('cc') && has('ld')
const hasReadelf = has('readelf')
const when = (condition: boolean, reason: string, name: string, run: () => void): void => {
  if (condition) test(name, run)
  else console.log(`skip ${name}: ${reason}`)
}
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return isZosError(error) ? error.code : `no ZosError: ${error}`
  }
  return undefined
}

/** Links one source with flags; gives the file's bytes. */
const build = (source: string, ...flags: string[]): Buffer => {
  const input = join(folder, 'source.c')
  const output = join(folder, 'output')
  writeFileSync(input, source)
  execFileSync('cc', ['-o', output, input, ...flags])
  return readFileSync(output)
}
const start = 'void _start(void) { for (;;); }'
const bare = ['-nostdlib', '-ffreestanding', '-fno-stack-protector']

when(hasCompiler, 'no cc and ld', 'programs, libraries and objects as the compiler makes them', () => {
  const main = 'int main(void) { return 0; }'
  const pie = parseElf(build(main, '-pie', '-fPIE', '-Wl,-rpath,/opt/a:$ORIGIN/b'))
  assert.is(pie.type, 'DYN')
  assert.is(pie.pie, true)
  assert.is(pie.static, false)
  assert.match(pie.interpreter!, /^\/lib.*\/ld/)
  assert.equal(pie.needed, ['libc.so.6'])
  assert.equal([...pie.runpath, ...pie.rpath], ['/opt/a', '$ORIGIN/b'])

  const old = parseElf(build(main, '-no-pie', '-Wl,--disable-new-dtags,-rpath,/opt/old'))
  assert.is(old.type, 'EXEC')
  assert.is(old.pie, false)
  assert.is(old.static, false)
  assert.equal(old.rpath, ['/opt/old'])

  const fixed = parseElf(build(start, '-static', '-no-pie', ...bare))
  assert.equal([fixed.type, fixed.static, fixed.pie, fixed.needed], ['EXEC', true, false, []])
  const moving = parseElf(build(start, '-static-pie', '-fPIE', ...bare))
  assert.equal([moving.type, moving.static, moving.pie], ['DYN', true, true])

  const library = parseElf(build('int f(void) { return 1; }', '-shared', '-fPIC', '-Wl,-soname,libf.so.1', ...bare))
  assert.equal([library.type, library.static, library.pie, library.soname], ['DYN', false, false, 'libf.so.1'])

  const object = parseElf(build(main, '-c'))
  assert.equal([object.type, object.static, object.pie, object.needed], ['REL', false, false, []])
})

when(hasCompiler, 'no cc and ld', 'a section has the bytes that were put there', () => {
  const text = 'license=GPL\\0depends=virtio,virtio_ring\\0'
  const source = `static const char info[] __attribute__((section(".modinfo"), used)) = "${text}"; char room[100];`
  const object = build(source, '-c')
  assert.is(
    Buffer.from(elfSection(object, '.modinfo')!.bytes).toString(),
    'license=GPL\0depends=virtio,virtio_ring\0\0',
  )
  const bss = elfSection(object, '.bss')!
  assert.equal([bss.size >= 100, bss.bytes.length], [true, 0])
  assert.is(elfSection(object, '.none'), undefined)
})

when(
  hasCompiler && spawnSync('cc', ['-m32', '-c', '-xc', '-', '-o', '/dev/null'], { input: 'int x;' }).status === 0,
  'cc cannot make 32-bit code',
  '32 bits',
  () => {
    const object = build('int f(void) { return 1; }', '-m32', '-c')
    assert.equal([parseElf(object).class, elfArch(parseElf(object).machine)], [32, 'i386'])
    assert.ok(elfSection(object, '.text')!.size > 0)
  },
)

when(hasReadelf && existsSync('/bin/ls'), 'no readelf', 'real files as readelf lists them', () => {
  const libraries = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib'].filter(existsSync)
  const files = [
    ...['/bin/ls', '/bin/sh', '/bin/busybox', process.execPath].filter(existsSync),
    ...libraries.flatMap((path) =>
      readdirSync(path, { withFileTypes: true })
        .slice(0, 60)
        .flatMap((entry) => (entry.isFile() ? [join(path, entry.name)] : [])),
    ),
  ]
  let compared = 0
  for (const file of files) {
    if (statSync(file).size > 200_000_000) continue
    const bytes = readFileSync(file)
    if (!isElf(bytes)) continue
    const listing = execFileSync('readelf', ['-hldSW', file], { encoding: 'utf8', maxBuffer: 1 << 26, stdio: 'pipe' })
    const all = (pattern: RegExp): string[] => [...listing.matchAll(pattern)].map((match) => match[1]!)
    const elf = parseElf(bytes)
    assert.is(elf.type, all(/Type:\s+(\w+)/g)[0], file)
    assert.is(elf.interpreter, all(/program interpreter: (.*)\]/g)[0], file)
    assert.is(elf.soname, all(/Library soname: \[(.*)\]/g)[0], file)
    assert.equal(elf.needed, all(/Shared library: \[(.*)\]/g), file)
    assert.is(elf.pie, listing.includes('DYN (Position-Independent Executable file)'), file)
    assert.equal(
      elfSections(bytes).map(({ name }) => name),
      all(/^ {2}\[ *[1-9]\d*\] (\S*)/gm),
      file,
    )
    compared++
  }
  assert.ok(compared >= 3, `${compared} files compared`)
})

when(existsSync('/bin/busybox'), 'no /bin/busybox', 'busybox-static is static', () => {
  const { status, stdout } = spawnSync('readelf', ['-lW', '/bin/busybox'], { encoding: 'utf8' })
  if (status !== 0) return
  assert.is(parseElf(readFileSync('/bin/busybox')).static, !stdout.includes('INTERP'))
})

interface Layout {
  readonly wide: boolean
  readonly little: boolean
}

/** A program with an interpreter and a dynamic section, by hand: for classes and byte orders without a compiler. */
const handMade = ({ wide, little }: Layout): Buffer => {
  const bytes = Buffer.alloc(2048)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const u16 = (at: number, value: number): void => view.setUint16(at, value, little)
  const u32 = (at: number, value: number): void => view.setUint32(at, value, little)
  const word = (at: number, value: number): void =>
    wide ? view.setBigUint64(at, BigInt(value), little) : u32(at, value)
  const step = wide ? 8 : 4
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1])
  u16(16, 3)
  u16(18, 21)
  const headerSize = wide ? 64 : 52
  word(wide ? 32 : 28, headerSize)
  const tail = wide ? 54 : 42
  const programSize = wide ? 56 : 32
  const sectionSize = wide ? 64 : 40
  for (const [index, value] of [programSize, 3, sectionSize, 3, 2].entries()) u16(tail + index * 2, value)
  const base = 0x10000
  const segment = (index: number, type: number, offset: number, size: number): void => {
    const at = headerSize + index * programSize
    u32(at, type)
    word(at + (wide ? 8 : 4), offset)
    word(at + (wide ? 16 : 8), base + offset)
    word(at + (wide ? 32 : 16), size)
  }
  segment(0, 1, 0, 2048)
  segment(1, 3, 512, 20)
  segment(2, 2, 640, step * 2 * 8)
  bytes.write('/lib/ld.so.1\0', 512)
  bytes.write('\0libone.so\0libtwo.so\0/a:/b\0', 1024)
  const dynamic = [1, 1, 1, 11, 15, 21, 5, base + 1024, 10, 30, 0, 0]
  for (const [index, value] of dynamic.entries()) word(640 + index * step, value)
  const table = 1280
  word(wide ? 40 : 32, table)
  bytes.write('\0.note\0.names\0', 1152)
  const section = (index: number, name: number, type: number, offset: number, size: number): void => {
    const at = table + index * sectionSize
    u32(at, name)
    u32(at + 4, type)
    word(at + (wide ? 24 : 16), offset)
    word(at + (wide ? 32 : 20), size)
  }
  section(1, 1, 7, 512, 4)
  section(2, 7, 3, 1152, 14)
  return bytes
}
const layouts: Layout[] = [true, false].flatMap((wide) => [true, false].map((little) => ({ wide, little })))

test('both classes in both byte orders', () => {
  for (const layout of layouts) {
    const bytes = handMade(layout)
    assert.equal(parseElf(bytes), {
      class: layout.wide ? 64 : 32,
      endian: layout.little ? 'little' : 'big',
      type: 'DYN',
      machine: 21,
      interpreter: '/lib/ld.so.1',
      needed: ['libone.so', 'libtwo.so'],
      rpath: ['/a', '/b'],
      runpath: [],
      pie: true,
      static: false,
    })
    assert.equal(
      elfSections(bytes).map(({ name, size }) => [name, size]),
      [
        ['.note', 4],
        ['.names', 14],
      ],
    )
    assert.is(Buffer.from(elfSection(bytes, '.note')!.bytes).toString(), '/lib')
  }
})

test('what is no ELF file, or one that lies about itself, is an error that says so', () => {
  assert.is(isElf(Buffer.from('\x7fEL')), false)
  assert.is(
    codeOf(() => parseElf(Buffer.from('#!/bin/sh\n'))),
    'ELF_FORMAT',
  )
  assert.is(
    codeOf(() => parseElf(Buffer.from('\x7fELF'))),
    'ELF_FORMAT',
  )
  const change = (at: number, ...values: number[]): Buffer => {
    const bytes = handMade({ wide: true, little: true })
    bytes.set(values, at)
    return bytes
  }
  assert.is(
    codeOf(() => parseElf(change(4, 3))),
    'ELF_FORMAT',
  )
  assert.is(
    codeOf(() => parseElf(change(16, 9))),
    'ELF_FORMAT',
  )
  assert.is(
    codeOf(() => parseElf(change(32, 0xff, 0xff))),
    'ELF_TRUNCATED',
  )
  assert.is(
    codeOf(() => parseElf(change(39, 0xff))),
    'ELF_TRUNCATED',
  )
  assert.is(
    codeOf(() => parseElf(change(56, 0xff, 0xff))),
    'ELF_LIMIT',
  )
  assert.is(
    codeOf(() => elfSections(change(62, 77))),
    'ELF_FORMAT',
  )
})

test('damage and truncation give an ELF error or a value (property)', () => {
  const samples = layouts.map(handMade)
  if (hasCompiler) samples.push(build(start, ...bare), build(start, '-c', '-g'))
  fc.assert(
    fc.property(
      fc.nat(samples.length - 1),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 })), {
        maxLength: 6,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
      (sample, flips, length, cut) => {
        const bytes = Buffer.from(samples[sample]!)
        // Most damage goes to the headers, at the two ends of a file.
        for (const [place, mask] of flips) {
          const at = Math.floor((place < 0.7 ? place / 4 : place) * (bytes.length - 1))
          bytes[at] = bytes[at]! ^ mask
        }
        const input = cut ? bytes.subarray(0, Math.floor(length * bytes.length)) : bytes
        for (const parse of [parseElf, elfSections]) {
          const code = codeOf(() => parse(input))
          assert.ok(code === undefined || /^ELF_(FORMAT|TRUNCATED|LIMIT)$/.test(code), code)
        }
      },
    ),
    { numRuns: 5000 },
  )
})

test.run()
