import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf } from '../dist/config/bytes.js'
import { decompress } from '../dist/format/decompress.js'
import { packedBefore, packedPositions, xzPositions } from '../dist/format/packed-positions.js'
import { xzHeader, xzTail } from '../dist/format/xz.js'
import { encodeXzBlock } from '../dist/format/xz-encode.js'
import { compressZstd } from '../dist/format/zstd.js'
import { compared, sharesBy } from '../dist/size/breakdown.js'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const xzOf = async (...contents: readonly Uint8Array[]): Promise<Uint8Array> => {
  const blocks = await Promise.all(
    contents.map((content) => encodeXzBlock({ size: content.length, chunks: [content] }, { preset: 6 })),
  )
  return Buffer.concat([xzHeader(), ...blocks.map(({ bytes }) => bytes), xzTail(blocks)])
}

/** Text that a compressor makes something of. */
const words = (bytes: number): Buffer =>
  Buffer.from(
    Array.from({ length: Math.ceil(bytes / 8) }, (_, index) => `${(index * 7919) % 9973} word`).join(' '),
  ).subarray(0, bytes)

test('positions of xz: each file has what it takes, and the whole adds up', async () => {
  const [noise, text, zeros] = [randomBytes(1_000_000), words(1_000_000), new Uint8Array(4_000_000)]
  const file = await xzOf(Buffer.concat([noise, text]), Buffer.concat([zeros, words(1000)]))
  const positions = xzPositions(file)
  assert.is(positions.at(-1)!.plain, 6_001_000)
  assert.ok(
    positions.every(
      ({ plain, packed }, at) => at === 0 || (plain > positions[at - 1]!.plain && packed > positions[at - 1]!.packed),
    ),
  )
  const before = packedBefore(positions, file.length)
  const [afterNoise, afterText, afterZeros, end] = [1_000_000, 2_000_000, 6_000_000, 6_001_000].map(before) as [
    number,
    number,
    number,
    number,
  ]
  const alone = async (content: Uint8Array) => (await xzOf(content)).length
  // A chunk has at most 64 KiB: what two files share is divided by their plain bytes.
  assert.ok(Math.abs(afterNoise - (await alone(noise))) < 65_536, `${afterNoise}`)
  assert.ok(Math.abs(afterText - afterNoise - (await alone(text))) < 65_536, `${afterText - afterNoise}`)
  assert.ok(afterZeros - afterText < 3000, `${afterZeros - afterText}`)
  assert.is(end, file.length)
})

test('positions of gzip and zstd come from a decoder that is watched', async () => {
  const [noise, text] = [randomBytes(2_000_000), words(2_000_000)]
  const plain = Buffer.concat([noise, text])
  const zstd: Uint8Array[] = []
  for await (const chunk of compressZstd([plain], { level: 3 })) zstd.push(chunk)
  for (const [kind, file] of [
    ['gz', gzipSync(plain)],
    ['zst', Buffer.concat(zstd)],
  ] as const) {
    const positions = await packedPositions(file, kind)
    assert.is(positions.at(-1)!.plain, 4_000_000)
    const noiseEnd = packedBefore(positions, file.length)(2_000_000)
    assert.ok(Math.abs(noiseEnd - 2_000_000) < 150_000, `${kind}: ${noiseEnd}`)
  }
})

test('damaged xz is told', async () => {
  const file = await xzOf(words(100_000))
  const block = Uint8Array.from(file)
  block[12 + (block[12]! + 1) * 4 + 3] = 0xff
  assert.throws(
    () => xzPositions(block),
    (error: { code?: string }) => error.code === 'XZ_FORMAT',
  )
  assert.throws(
    () => xzPositions(file.subarray(0, 40)),
    (error: { code?: string }) => /^XZ_|_TRUNCATED/.test(error.code ?? ''),
  )
  const plain: Uint8Array[] = []
  for await (const chunk of decompress(
    (async function* () {
      yield file
    })(),
    'xz',
  ))
    plain.push(chunk)
  assert.is(Buffer.concat(plain).length, 100_000)
})

test('shares by package, plugin, folder and file; what differs', () => {
  const shares = {
    packed: 100,
    plain: 300,
    files: [
      { path: '/usr', packed: 2, plain: 10 },
      { path: '/usr/bin/a', packed: 50, plain: 200 },
      { path: '/usr/lib/x/b', packed: 40, plain: 80 },
      { path: '/c', packed: 8, plain: 10 },
    ],
  }
  const origins: Record<string, { plugin: string; package?: string }> = {
    '/usr/bin/a': { plugin: 'debian', package: 'a' },
    '/usr/lib/x/b': { plugin: 'debian', package: 'b' },
    '/c': { plugin: 'zinit' },
  }
  const by = (way: 'package' | 'plugin' | 'folder' | 'file', depth = 2) =>
    sharesBy(way, shares, (path) => origins[path], depth).map(({ name, packed, files }) => `${name} ${packed} ${files}`)
  assert.equal(by('package'), ['debian a 50 1', 'debian b 40 1', 'zinit 8 1', 'directories 2 1'])
  assert.equal(by('plugin'), ['debian 90 2', 'zinit 8 1', 'directories 2 1'])
  assert.equal(by('folder'), ['/usr/bin 50 1', '/usr/lib 40 1', '/ 10 2'])
  assert.equal(by('folder', 1), ['/usr 90 2', '/ 10 2'])
  const was = [
    { name: 'a', packed: 5, plain: 5, files: 1 },
    { name: 'gone', packed: 20, plain: 30, files: 2 },
  ]
  const now = [
    { name: 'a', packed: 6, plain: 6, files: 1 },
    { name: 'new', packed: 9, plain: 9, files: 1 },
  ]
  assert.equal(
    compared(now, was).map(({ name, packed, was }) => [name, packed, was]),
    [
      ['gone', 0, 20],
      ['new', 9, 0],
      ['a', 6, 5],
    ],
  )
})

test('sizes as a config writes them', () => {
  assert.equal(['15 MB', '1.5 kB', '2MiB', '7 B', 12].map(bytesOf), [15_000_000, 1500, 2_097_152, 7, 12])
  assert.equal(['15', 'MB', '-1 MB', '0 MB', '1 mb', '1e3 B', 0, 1.5].map(bytesOf), new Array(8).fill(undefined))
})

const project = (budget: string): Project =>
  new Project({
    'zos.config.ts': configOf('local.demo({})').replace(
      'plugins:',
      `size: { budget: { initramfs: ${budget} } }, plugins:`,
    ),
    'big.bin': '',
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks) => {
  hooks.assemble.tap('put', async (tree, ctx) =>
    tree.delta().file('/etc/small', 'small', { package: 'little' }).file('/usr/lib/big', await ctx.project.bytes('big.bin'), { package: 'large' }))
})`),
  })

test('a budget fails the build, names what grew, and leaves the output folder', async () => {
  const place = project(`'2 kB'`)
  place.write({ 'big.bin': randomBytes(500) })
  assert.is((await place.run(['build'])).code, 0)
  const before = place.text('dist/manifest.json')
  place.write({ 'big.bin': randomBytes(5000) })
  const { code, err } = await place.run(['build'])
  assert.is(code, 1)
  assert.match(err, /error SIZE_BUDGET\n {2}initramfs\.cpio\.xz has 5\.\d kB: 3\.\d kB over its budget of 2\.0 kB\n/)
  assert.match(err, /grown since the last build within the budget:\n {4}demo large {2}\+4\.\d kB\n/)
  assert.is(place.text('dist/manifest.json'), before)
  place.remove('.zos')
  assert.match((await place.run(['build'])).err, /the largest in it:\n {4}demo large {2}5\.\d kB\n/)
})

test('a budget for nothing, or of nothing, is told', async () => {
  const nothing = project(`'2 kB', kernel: 5`)
  const said = await nothing.run(['build'])
  assert.match(said.err, /SIZE_OUTPUT\n.*size\.budget names kernel, which no plugin makes/)
  assert.not.match(said.out, /assemble/, 'before anything is built')
  const wrong = project(`'2 mb'`)
  assert.match((await wrong.run(['build'])).err, /size\.budget\.initramfs: expected bytes, or a text such as "15 MB"/)
})

test('zos size shows a build, compares two, and takes an image apart without a project', async () => {
  const place = project(`'1 MB'`)
  place.write({ 'big.bin': randomBytes(500) })
  await place.run(['build'])
  place.write({ 'big.bin': randomBytes(50_000) })
  await place.run(['build'])
  const { out } = await place.run(['size'])
  assert.match(out, / {2}50\.\d kB {2}9\d\.\d % {2}50\.\d kB +1 {2}demo large\n/)
  assert.match(out, /\/usr\/lib\/big\n/)
  const against = await place.run(['size', '@0', '--against', '@1', '--by', 'package'])
  assert.match(against.out, /\n +50\.\d kB +\+49\.\d kB +50\.\d kB +1 +demo large\n/)
  const same = await place.run(['size', '@0', '--against', '@0'])
  assert.match(same.out, /unpacked\nno difference\n$/)
  const json = JSON.parse((await place.run(['size', 'dist', '--json'])).out)
  const sum = (rows: { packed: number }[]): number => rows.reduce((all, { packed }) => all + packed, 0)
  const size = place.bytes('dist/initramfs.cpio.xz').length
  for (const way of ['byPackage', 'byPlugin', 'byFolder', 'byFile']) assert.is(sum(json[way]), size)
  const file = await place.run(['size', 'dist/initramfs.cpio.xz', '--by', 'folder'])
  assert.match(file.out, /\/usr\/lib\n/)
  assert.match((await place.run(['size', '@7'])).err, /SIZE_WHAT\n.*only @0 to @1 are kept/)
  assert.match((await place.run(['size', 'plugins.ts'])).err, /SIZE_WHAT\n.*neither a lock/)
})

test('contents are measured with the settings of the image', async () => {
  const text = words(7_000_000)
  const measured = async (compression: string): Promise<number> => {
    const project = new Project({
      'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: '${compression}' }`),
      'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks) => {
  hooks.assemble.tap('measure', async (tree, ctx) => {
    const blob = await ctx.blobs.put(await ctx.project.bytes('text'))
    ctx.warn('MEASURED', String(await ctx.packedSize(blob)))
    return tree.delta()
  })
})`),
    })
    project.write({ text })
    const { events } = await project.built()
    return Number(events.find(({ code }) => code === 'MEASURED')!.message)
  }
  const { bytes } = await encodeXzBlock({ size: text.length, chunks: [text] }, { preset: 6, dictSize: 6 << 20 })
  assert.is(await measured('xz'), bytes.length)
  assert.is(await measured('none'), text.length)
  for (const compression of ['gzip', 'zstd']) {
    const size = await measured(compression)
    assert.ok(size > 1000 && size < text.length / 2, `${compression}: ${size}`)
  }
})

test.run()
