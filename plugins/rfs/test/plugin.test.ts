import { spawnSync } from 'node:child_process'
import { FileTree, isZosError, type Plan, ref } from '@zos/core'
import { type WishedUnit, zinitService } from '@zos/zinit'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { dayOf, firmwareTree } from '../dist/build-flist.js'
import { mountFindings, wishForMounts } from '../dist/image.js'
import { type RfsOptions, rfsOptions } from '../dist/options.js'
import {
  checkCoverage,
  checkReadable,
  leadsTo,
  masked,
  parseRoute,
  uncovered,
  withoutCredentials,
} from '../dist/route.js'
import { sampleOf } from '../dist/route-check.js'
import { coldplugScript, mountConf, mountScript } from '../dist/scripts.js'
import { plannedStores } from '../dist/stores.js'

const modules = ref('kernel', 'linux', 'modules')
const besides = ref('kernel', 'image-modules', 'modules')

const problems = (options: unknown): string =>
  (v.safeParse(rfsOptions, options).issues ?? []).map(({ message }) => message).join('; ')

test('options that fit together pass, others are told', () => {
  assert.is(problems({ flists: { modules, besides } }), '')
  assert.is(problems({ flists: {}, store: ref('s3', 'blocks') }), '')
  assert.is(problems({ flists: {}, store: [{ path: 'a', route: 'dir:///a', range: '00-7f' }] }), '')
  assert.match(problems({ flists: { besides } }), /name flists\.modules too/)
  assert.match(problems({ flists: { modules, besides }, mount: 'replace' }), /expected mount: 'overlay'/)
  assert.ok(problems({ flists: {}, store: { path: 'a' } }) !== '')
  assert.ok(problems({ flists: {}, store: { path: 'a', route: 'dir:///a', range: '7f-00' } }) !== '')
  assert.ok(problems({ flists: {}, firmwareTag: '../x' }) !== '')
  assert.ok(problems({ flists: {}, program: 'rfs' }) !== '')
})

const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return isZosError(error) ? error.code : String(error)
  }
  return 'none'
}

test('stores of a config have to cover all ids', () => {
  const store = (range?: string) => ({ path: 'a', route: 'dir:///a', ...(range && { range }) })
  assert.is(plannedStores(undefined).length, 0)
  assert.is(plannedStores(ref('s3', 'blocks')).length, 1)
  assert.equal(
    plannedStores([store('00-7f'), store('80-ff'), store()]).map(({ start, end }) => [start, end]),
    [
      [0, 127],
      [128, 255],
      [0, 255],
    ],
  )
  assert.is(
    code(() => plannedStores([store('00-7f'), store('81-ff')])),
    'FLIST_ROUTE',
  )
  assert.is(
    code(() => plannedStores([])),
    'FLIST_ROUTE',
  )
})

test('routes are read as the rfs program reads them', () => {
  assert.equal(parseRoute('dir:///a'), { start: 0, end: 255, url: 'dir:///a' })
  assert.equal(parseRoute('0a-FF=s3://h:1/b'), { start: 10, end: 255, url: 's3://h:1/b' })
  for (const text of ['', 'a', '10-0f=dir:///a', 's3+tls://h:1/b', '00-7f='])
    assert.is(
      code(() => parseRoute(text)),
      'FLIST_ROUTE',
      text,
    )
  const all = [{ start: 0, end: 255 }]
  assert.equal(uncovered(all), [])
  assert.equal(
    uncovered([
      { start: 1, end: 3 },
      { start: 5, end: 254 },
    ]),
    ['00-00', '04-04', 'ff-ff'],
  )
  assert.is(
    code(() => checkCoverage([], 'x')),
    'FLIST_ROUTE',
  )
  const block = { id: `7f${'0'.repeat(62)}`, key: '' }
  assert.ok(leadsTo({ start: 0, end: 127 }, block))
  assert.not.ok(leadsTo({ start: 128, end: 255 }, block))
})

test('keys are taken out of URLs and masked in words, whatever is in them', () => {
  assert.is(withoutCredentials('s3://k:s@h:1/b?region=r'), 's3://h:1/b?region=r')
  assert.is(withoutCredentials('s3s://k:a/b@c@h:1/b'), 's3s://h:1/b')
  assert.is(withoutCredentials('dir:///home/a@b/c'), 'dir:///home/a@b/c')
  assert.is(masked('s3://k:a/b@h:1/b'), 's3://•••@h:1/b')
  checkReadable({ url: 's3://AKIA-09._~:abcXYZ@h:1/b' })
  checkReadable({ url: 'dir:///a' })
  for (const secret of ['a/b', 'a+b', 'a%2fb', 'a b', 'a@b', 'ä'])
    assert.is(
      code(() => checkReadable({ url: `s3://key:${secret}@h:1/b` })),
      'FLIST_ROUTE',
      secret,
    )
})

test('blocks of every range are sampled', () => {
  const blocks = Array.from({ length: 256 }, (_, byte) => ({
    id: byte.toString(16).padStart(2, '0').repeat(32),
    key: '',
  }))
  assert.is(sampleOf({ start: 0, end: 255 }, blocks).length, 4)
  assert.equal(
    sampleOf({ start: 9, end: 9 }, blocks).map(({ id }) => id.slice(0, 2)),
    ['09'],
  )
  assert.equal(sampleOf({ start: 0, end: 255 }, []), [])
})

test('a day of an epoch, as date -u says it', () => {
  for (const epoch of [0, 951_782_400, 951_868_800, 1_709_164_800, 1_735_689_599, 1_735_689_600, 4_102_444_800]) {
    const { stdout } = spawnSync('date', ['-u', '-d', `@${epoch}`, '+%Y%m%d'], { encoding: 'utf8' })
    assert.is(dayOf(epoch), stdout.trim(), String(epoch))
  }
})

test("a project's own folder of firmware takes the place of packages", async () => {
  const tree = (path: string) => {
    const blob = { sha256: '0'.repeat(64), size: 0 }
    return FileTree.from([{ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob }])
  }
  const options: RfsOptions = { flists: { firmware: ref('alpine', 'firmware', 'tree') }, firmwareTag: 'test' }
  const treeWith = async (...own: string[]) => {
    const ctx = {
      epoch: 0,
      explain: () => undefined,
      tree: async () => tree('/lib/firmware/package.bin'),
      project: { glob: async () => own, folder: async () => tree('/own.bin') },
    }
    const found = await firmwareTree(ctx as never, options)
    assert.equal(found.facts, { tag: 'test' })
    return [...found.tree.records()].map(({ path }) => path)
  }
  assert.equal(await treeWith(), ['/package.bin'])
  assert.equal(await treeWith('firmware/own.bin'), ['/own.bin'])
})

test('hardware is looked for again when the mounts have ended, well or not', () => {
  const units: WishedUnit[] = []
  const plan = { wish: (token: unknown, unit: WishedUnit) => token === zinitService && units.push(unit) }
  wishForMounts(
    plan as unknown as Plan,
    { flists: { modules, firmware: ref('alpine', 'firmware', 'tree') } } as RfsOptions,
  )
  const unit = (name: string): Record<string, unknown> => ({ ...units.find((one) => one.name === name) })
  assert.equal(unit('udev-rfs').requires, ['rfs-modules', 'rfs-firmware'])
  assert.equal(unit('rfs-modules').requires, ['coldplug', 'rfs-firmware'])
  for (const name of ['rfs-modules', 'rfs-firmware']) assert.match(String(unit(name).exec), / \|\| true'$/)
})

test('what the node runs is shell', () => {
  const conf = mountConf({ program: '/usr/bin/rfs', mount: 'overlay', limit: 60 })
  for (const script of [mountScript, coldplugScript, conf]) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })
    assert.is(status, 0, stderr)
  }
  const { stdout } = spawnSync('sh', ['-c', `${conf}\necho "$RFS_BIN $RFS_MOUNT $RFS_LIMIT"`], {
    encoding: 'utf8',
    env: { RFS_BIN: '/opt/rfs' },
  })
  assert.is(stdout, '/opt/rfs overlay 60\n')
})

test('an image that could not mount is refused', () => {
  const view = (paths: readonly string[]) => {
    const blob = { sha256: '0'.repeat(64), size: 0 }
    const tree = FileTree.from(
      paths.map((path) => ({ path, kind: 'file', mode: 0o755, uid: 0, gid: 0, blob }) as const),
    )
    return { resolve: (path: string) => tree.resolve(path) } as never
  }
  const options: RfsOptions = { flists: { modules } }
  const codes = (paths: readonly string[], more: Partial<RfsOptions> = {}) =>
    mountFindings(view(paths), { ...options, ...more }).map(({ code: one }) => one)
  assert.equal(codes([]), ['RFS_NO_PROGRAM'])
  assert.equal(codes([], { mount: 'none' }), [])
  assert.equal(codes(['/usr/bin/rfs']), ['RFS_NO_FUSERMOUNT', 'RFS_NO_MOUNTPOINT'])
  assert.equal(codes(['/usr/bin/rfs', '/bin/fusermount']), ['RFS_NO_MOUNTPOINT'])
  assert.equal(codes(['/usr/bin/rfs', '/usr/bin/mountpoint']), ['RFS_NO_FUSERMOUNT'])
  assert.equal(codes(['/usr/bin/rfs', '/usr/bin/fusermount3', '/usr/bin/mountpoint']), [])
  assert.equal(codes(['/opt/rfs', '/bin/fusermount', '/bin/mountpoint'], { program: '/opt/rfs' }), [])
})

test.run()
