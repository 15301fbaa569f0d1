import { type Artifact, DeltaBuilder, FileTree, type Hooks, ref, type TapContext, type TreeView } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { type Unit, type WishedUnit, type ZinitOptions, zinit } from '../dist/index.js'
import { settleUnits } from '../dist/wishes.js'

type Tap = (tree: TreeView, ctx: TapContext) => Promise<unknown>

/** The taps of one hook, as `apply` makes them. */
const tapsOf = (options: ZinitOptions) => {
  const taps = new Map<string, Tap>()
  const keep = (hook: string) => ({
    tap: (name: string, tap: Tap) => {
      taps.set(`${hook} ${name}`, tap)
    },
  })
  const hooks = { resolve: keep('resolve'), assemble: keep('assemble'), check: keep('check') }
  zinit(options).definition.apply(hooks as unknown as Hooks, options, { id: 'zinit' })
  return taps
}

/** A context with files of a project, wished units and a version of zinit; a small glob is all that is needed. */
const contextOf = (files: Record<string, string>, wished: readonly Unit[], version: string) => {
  const warnings: string[] = []
  const contents = new Map<string, Uint8Array>()
  const ctx = {
    project: {
      text: async (path: string) => files[path]!,
      bytes: async (path: string) => Buffer.from(files[path]!),
      glob: async (pattern: string) => {
        const rule = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
        return Object.keys(files)
          .filter((path) => rule.test(path))
          .sort()
      },
    },
    settled: () => wished,
    artifact: async (): Promise<Artifact> => ({ facts: { version } }),
    warn: (_: string, message: string) => warnings.push(message),
    blobs: {
      stream: async function* ({ sha256 }: { sha256: string }) {
        yield contents.get(sha256) ?? Buffer.from('\x7fELF')
      },
    },
  } as unknown as TapContext
  return { ctx, warnings, contents }
}

const view = (tree: FileTree, contents: Map<string, Uint8Array>): TreeView =>
  ({
    get: (path: string) => tree.get(path),
    resolve: (path: string) => tree.resolve(path),
    list: (path: string) => tree.list(path),
    glob: (pattern: string) => tree.glob(pattern),
    read: async (path: string) => {
      const entry = tree.get(tree.resolve(path)!)
      return Buffer.from(contents.get(entry?.kind === 'file' ? entry.blob.sha256 : '')!)
    },
    text: async (path: string) => {
      const entry = tree.get(tree.resolve(path)!)
      return Buffer.from(contents.get(entry?.kind === 'file' ? entry.blob.sha256 : '')!).toString()
    },
    delta: () => new DeltaBuilder(),
  }) as unknown as TreeView

interface Run {
  readonly files: Record<string, string>
  readonly services?: ZinitOptions['services']
  readonly more?: Partial<ZinitOptions>
  readonly wished?: readonly Unit[]
  readonly version?: string
  readonly packages?: Record<string, string>
}

/** Runs both assemble taps and both check taps; gives the tree's files as text, and the findings. */
const run = async ({ files, services = 'z', more = {}, wished = [], version = '0.3.9', packages = {} }: Run) => {
  const options: ZinitOptions = { program: ref('rust', 'zinit'), services, init: 'init', ...more }
  const taps = tapsOf(options)
  const { ctx, warnings, contents } = contextOf({ init: '#!/bin/sh\n', ...files }, wished, version)
  let tree = FileTree.empty
  const base = new DeltaBuilder()
  for (const [path, text] of Object.entries(packages)) base.file(path, text, { mode: 0o755 })
  const apply = (delta: DeltaBuilder, plugin: string) => {
    const built = delta.build()
    for (const [digest, bytes] of built.contents) contents.set(digest, bytes)
    tree = tree.apply(built, { plugin })
  }
  apply(base, 'debian')
  for (const name of ['units', 'boot']) {
    apply((await taps.get(`assemble ${name}`)!(view(tree, contents), ctx)) as DeltaBuilder, 'zinit')
  }
  const findings: unknown[] = []
  for (const name of ['units', 'boot']) {
    findings.push(...((await taps.get(`check ${name}`)!(view(tree, contents), ctx)) as unknown[]))
  }
  const text = (path: string) => {
    const entry = tree.get(path)
    return entry?.kind === 'file' ? Buffer.from(contents.get(entry.blob.sha256)!).toString() : undefined
  }
  const said = (findings as { level: string; subject: string; message: string }[]).map(
    ({ level, subject, message }) => `${level} ${subject}: ${message}`,
  )
  return { tree, text, warnings, said }
}

const machine = { '/bin/sh': 'x', '/sbin/zinit-pid1': 'x', '/sbin/zinit-server': 'x', '/usr/sbin/sshd': 'x' }

test('a folder of both dialects becomes what the image’s zinit reads', async () => {
  const files = {
    'z/sshd.yaml': 'exec: /usr/sbin/sshd -D\nneeds: [setup]\n',
    'z/setup.toml':
      '[service]\nname = "setup"\nexec = "sh /etc/zinit/init/setup.sh"\noneshot = true\nclass = "system"\n',
    'z/init/setup.sh': 'true\n',
  }
  const wished: Unit[] = [{ kind: 'service', name: 'acmed', exec: '/usr/sbin/sshd', wants: ['sshd'] }]
  const { tree, text, warnings, said } = await run({ files, wished, packages: machine })
  assert.equal(said, [])
  assert.equal(
    [...tree.records('/etc')]
      .filter(({ kind }) => kind === 'file')
      .map(({ path, mode }) => `${path} ${mode.toString(8)}`),
    [
      '/etc/zinit/init/setup.sh 755',
      '/etc/zinit/services/acmed.toml 644',
      '/etc/zinit/services/sshd.toml 644',
      '/etc/zinit/system/setup.toml 644',
      '/etc/zos/boot.conf 644',
    ],
  )
  assert.match(text('/etc/zinit/services/sshd.toml')!, /requires = \["setup"\]/)
  assert.is(text('/etc/zos/boot.conf'), `pid1='/sbin/zinit-pid1'\nroot=tmpfs\nsize=1536m\n`)
  assert.is(tree.get('/init')?.mode, 0o755)
  assert.is(warnings.length, 2)
  assert.match(warnings.join('\n'), /z\/sshd\.yaml: needs/)
})

test('zinit 0.2 gets YAML, and is its own first process', async () => {
  const services = { sshd: { exec: '/usr/sbin/sshd -D', wants: ['absent'] } }
  const packages = { '/usr/sbin/sshd': 'x', '/sbin/zinit': 'x', '/bin/sh': 'x' }
  const { text, said } = await run({ files: {}, services, version: '0.2.25', more: { root: 'in-place' }, packages })
  assert.equal(said, [])
  assert.is(text('/etc/zinit/sshd.yaml'), 'exec: /usr/sbin/sshd -D\n')
  assert.is(text('/etc/zos/boot.conf'), `pid1='/sbin/zinit init'\nroot=in-place\nsize=1536m\n`)
})

test('findings name the unit and the path', async () => {
  const services = {
    a: { exec: '/usr/sbin/gone', requires: ['b'] },
    b: { exec: '/usr/sbin/sshd', after: ['a', 'netwrok'] },
    network: { target: true },
  } as const
  const packages = { ...machine, '/etc/ssh/ssh_host_rsa_key': 'x' }
  const { '/sbin/zinit-server': _, ...without } = packages
  const { said } = await run({ files: {}, services, packages: without })
  assert.equal(said, [
    'error a: units wait for each other: a → b → a',
    'error b: after names netwrok, but no unit of the image is called that',
    'error a: exec of /etc/zinit/services/a.toml: /usr/sbin/gone is not in the image',
    'error /sbin/zinit-server: /sbin/zinit-server is not in the image',
    'error /etc/ssh/ssh_host_rsa_key: /etc/ssh/ssh_host_rsa_key is a private key: every machine that boots this image would have the same',
  ])
})

const rejected = async (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => 'nothing',
    (error: Error) => error.message,
  )

test('a unit twice, a file that zinit never reads and a private key are refused', async () => {
  const unit = 'exec: /bin/x\n'
  const toml = '[service]\nname = "x"\nexec = "/bin/x"\n'
  assert.is(
    await rejected(run({ files: { 'z/x.yaml': unit, 'z/y.toml': toml } })),
    'the unit x is in z/x.yaml and in z/y.toml',
  )
  assert.match(await rejected(run({ files: { 'z/x.yml': unit } })), /z\/x\.yml is neither \*\.yaml nor \*\.toml/)
  const wished: Unit[] = [{ kind: 'service', name: 'x', exec: '/bin/y' }]
  assert.match(
    await rejected(run({ files: { 'z/x.yaml': unit }, wished })),
    /the unit x is in z\/x\.yaml and in a wish/,
  )
})

test('a folder without units is a slip, not an empty image', async () => {
  assert.match(await rejected(run({ files: {} })), /there are no files in z, expected units/)
})

test('wishes for one name agree, or both wishers are named', () => {
  const value: WishedUnit = { name: 'x', exec: '/bin/x', requires: ['b', 'a'] }
  const same: WishedUnit = { ...value, requires: ['a', 'b'], oneshot: false }
  assert.equal(
    settleUnits([
      { value, by: 'acme' },
      { value: same, by: 'other' },
    ]),
    [{ kind: 'service', name: 'x', exec: '/bin/x', requires: ['a', 'b'] }],
  )
  const other: WishedUnit = { name: 'x', exec: '/bin/y' }
  assert.throws(
    () =>
      settleUnits([
        { value, by: 'acme' },
        { value: other, by: 'other' },
      ]),
    /acme and other both want a unit x, and not the same/,
  )
})

test('options are checked with the place of the problem', () => {
  const schema = zinit({ services: 'z', init: 'i', dialect: 'toml' }).definition.options
  const issues = (options: unknown) => {
    const { issues = [] } = v.safeParse(schema, options)
    return issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`)
  }
  assert.equal(issues({ services: { a: { exec: '/bin/a' }, t: { target: true } }, init: 'i', dialect: 'toml' }), [])
  assert.match(
    issues({ services: { a: { exce: '/bin/a' } }, init: 'i', dialect: 'toml' }).join('\n'),
    /services\.a\.exec/,
  )
  assert.match(issues({ services: 'z', init: 'i' }).join('\n'), /expected program/)
  assert.match(
    issues({ services: 'z', init: 'i', dialect: 'toml', rootSize: 'big' }).join('\n'),
    /rootSize: expected a size/,
  )
})

test.run()
