import { DeltaBuilder, FileTree, type PinEntry, type Plan, type TreeView, type Wish } from '@zos/core'
import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { declarePackages } from '../dist/declare.js'
import { type DebianOptions, debian, debianPackages } from '../dist/index.js'
import { debianOptions, suitesOf } from '../dist/options.js'
import { appletLinks } from '../dist/package/applet-links.js'
import type { DebianPin, DebianRequest } from '../dist/pin.js'
import { settlePackages } from '../dist/wishes.js'

const options: DebianOptions = { suite: 'bookworm', packages: ['kmod', 'a/bookworm-backports'] }

test('options are checked as a whole', () => {
  const full: DebianOptions = {
    ...options,
    suites: ['bookworm'],
    components: ['main', 'non-free-firmware'],
    essential: true,
    documentation: false,
    mirror: { debian: 'https://a.example/debian' },
    keyring: 'keys/a.gpg',
    snapshot: 'https://past.example/{archive}/2026',
  }
  assert.ok(v.is(debianOptions, full))
  const wrong: unknown[] = [
    {},
    { suite: 'bookworm' },
    { ...options, mirrors: [] },
    { ...options, mirror: 'file:///srv' },
    { ...options, mirror: { security: 'https://a.example/s' } },
    { ...options, snapshot: 'https://past.example/2026' },
    { ...options, suite: 'Book Worm' },
    { ...options, suites: [] },
  ]
  for (const one of wrong) assert.not(v.is(debianOptions, one), JSON.stringify(one))
})

test('the suites of a release', () => {
  assert.equal(suitesOf(options), ['bookworm', 'bookworm-updates', 'bookworm-security'])
  assert.equal(suitesOf({ suite: 'sid', packages: [] }), ['sid'])
  assert.equal(suitesOf({ ...options, suites: ['bookworm'] }), ['bookworm'])
})

test('references are data: the same packages in another order are the same tree', () => {
  const base = debian(options)
  const reference = base.tree(['systemd-boot-efi', 'a'])
  assert.equal(reference, base.tree(['a', 'systemd-boot-efi', 'a']))
  assert.is(reference.component, 'tree a systemd-boot-efi')
  assert.is(debian.as('second', options).tree(['a']).plugin, 'second')
})

const wishes: Wish<readonly string[]>[] = [
  { value: ['openssh-server', 'kmod'], by: 'zinit' },
  { value: ['btrfs-progs'], by: 'disks' },
]

test('wishes are requests of those who wish', () => {
  assert.equal(
    settlePackages(wishes).map(({ name, by }) => `${name} ${by}`),
    ['openssh-server zinit', 'kmod zinit', 'btrfs-progs disks'],
  )
  assert.match(
    errorOf(() => settlePackages([{ value: ['No Package'], by: 'zinit' }])).message,
    /'No Package' \(zinit\)/,
  )
})

/** Declares, asks, and takes what is declared from an answer. */
const declared = (pin: DebianPin) => {
  const entries: PinEntry<DebianRequest, DebianPin>[] = []
  const sources: Record<string, unknown> = {}
  const components: Record<string, unknown> = {}
  const plan = {
    arch: 'x86_64',
    requested: () => [
      { component: 'tree linux', slot: 'tree', params: ['linux'] },
      { component: 'root', slot: 'tree', params: null },
    ],
    pin: (entry: PinEntry<DebianRequest, DebianPin>) => entries.push(entry),
    source: (name: string, source: unknown) => {
      assert.not(name in sources, `${name} twice`)
      sources[name] = source
    },
    component: (spec: { name: string }) => {
      components[spec.name] = spec
    },
  }
  declarePackages(plan as unknown as Plan, options, 'debian')
  const [entry] = entries
  const request = entry!.request(((token: unknown) =>
    token === debianPackages ? settlePackages(wishes) : []) as never)
  entry!.then(pin, plan as never)
  return { request, sources, components }
}

const pinned = (version: string) =>
  ({ version, architecture: 'amd64', archive: 'debian', path: 'pool/x.deb', sha256: 'a'.repeat(64), size: 1 }) as const

test('the question has packages, suites and trees, and no mirror', () => {
  const { request } = declared({ root: {}, trees: {} })
  assert.equal(request, {
    suites: ['bookworm', 'bookworm-updates', 'bookworm-security', 'bookworm-backports'],
    components: ['main'],
    architecture: 'amd64',
    packages: ['a/bookworm-backports', 'btrfs-progs', 'kmod', 'openssh-server'],
    essential: false,
    trees: { 'tree linux': ['linux'] },
  })
})

test('the answer becomes sources, each once, and components', () => {
  const { sources, components } = declared({
    root: { kmod: pinned('1'), lib: pinned('1:2') },
    trees: { 'tree linux': { linux: pinned('6'), lib: pinned('1:2') } },
  })
  assert.equal(Object.keys(sources).sort(), ['kmod_1_amd64', 'lib_1:2_amd64', 'linux_6_amd64'])
  assert.equal(sources.kmod_1_amd64, {
    kind: 'deb',
    name: 'kmod',
    version: '1',
    archive: 'debian',
    path: 'pool/x.deb',
    sha256: 'a'.repeat(64),
    size: 1,
    suite: 'bookworm',
    plugin: 'debian',
  })
  assert.equal(Object.keys(components), ['root', 'tree linux'])
  assert.equal(components['tree linux'], {
    name: 'tree linux',
    kind: 'debian',
    options: {
      kind: 'tree',
      documentation: false,
      release: 'bookworm',
      packages: { linux: 'linux_6_amd64', lib: 'lib_1:2_amd64' },
    },
    sources: ['linux_6_amd64', 'lib_1:2_amd64'],
  })
})

test('applets get links where nothing brings the program', () => {
  const delta = new DeltaBuilder()
    .file('/usr/bin/busybox', 'x')
    .file('/usr/sbin/modprobe', 'x')
    .file('/usr/local/bin/ls', 'x')
    .build()
  const tree = FileTree.empty.apply(delta, { plugin: 'x' })
  const view = { list: (path: string) => tree.list(path), delta: () => new DeltaBuilder() } as unknown as TreeView
  const names = ['[', 'busybox', 'cat', 'init', 'linuxrc', 'ls', 'modprobe', 'sh']
  const { ops } = appletLinks(view, { busybox: '/usr/bin/busybox', names }).build()
  assert.equal(
    ops.map((op) => (op.op === 'put' && op.entry.kind === 'symlink' ? `${op.path} ${op.entry.target}` : '')),
    ['/usr/bin/[ busybox', '/usr/bin/cat busybox', '/usr/bin/sh busybox'],
  )
  assert.equal(appletLinks(view, undefined).build().ops, [])
})

test.run()
