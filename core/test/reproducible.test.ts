// The same lock and toolchain give the same bytes: another folder, user, umask, time zone, locale and number of jobs.
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile, temporaryFolder } from './temporary-project.js'

const files: Record<string, string> = {
  'zos.config.ts': configOf('local.demo({}), local.other({})'),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  const names = ['b', 'a', 'ı', 'Z']
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    for (const [index, name] of names.entries()) plan.component({ name: 'part-' + index, kind: 'demo', options: { name }, sources: ['files'] })
  })
  hooks.build.for('demo').tap('make', async ({ options }, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh', 'tar', 'gzip'] })
    const { tree } = await ctx.fetched('files')
    const made = await ctx.run({ name: 'act', toolchain, inputs: { src: tree }, outputs: ['out'], command: ['sh', '-c',
      'mkdir -p out/' + options.name + '; cp -a src/. out/' + options.name + '; tar c src | gzip > out/src.tar.gz; ls -l --time-style=full-iso src > out/list; (date +%Z; umask; id -u; pwd; locale; env | grep -v JOBS= | grep -v MAKEFLAGS) > out/env 2>&1'] })
    return { trees: { tree: made.tree.subtree('/out') }, facts: { said: made.stdout } }
  })
  for (const [index] of names.entries())
    hooks.assemble.tap('place-' + index, async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'part-' + index, 'tree')), '/opt/' + index))
  hooks.resolve.tap('text', (plan) => plan.output({ name: 'list.txt', format: 'text', options: {}, from: ['initramfs'] }))
  hooks.pack.for('text').tap('text', async (output, ctx) => ({
    blob: await ctx.blobs.put([...ctx.root.all().records()].map((record) => JSON.stringify(record)).join('\\n') + (await ctx.output('initramfs')).blob.sha256 + ctx.epoch),
    facts: { zeta: 1, alpha: { y: 1, b: 2 } },
  }))
})
export const other = plugin('other', (hooks) => {
  hooks.assemble.tap('glob', async (tree, ctx) => tree.delta().file('/glob', (await ctx.project.glob('files/**/*')).join(' ')).tree(await ctx.project.folder('files'), '/files'))
  hooks.optimize.tap('upper', async (tree) => {
    const delta = tree.delta()
    for (const { path, kind } of tree.glob('/files/**')) if (kind === 'file') delta.replace(path, (await tree.text(path)).toUpperCase())
    return delta
  })
})`),
}
const contents = Object.fromEntries(
  ['files/z', 'files/Z', 'files/ä', 'files/sub/one', 'files/sub/two', 'files/a-b', 'files/ab'].map((name) => [
    name,
    `i ${name}\n`,
  ]),
)

const outputs = (project: Project): Record<string, string> =>
  Object.fromEntries(
    ['initramfs.cpio.xz', 'list.txt', 'manifest.json'].map((name) => [
      name,
      project.bytes(`dist/${name}`).toString('latin1'),
    ]),
  )

const owned = (folder: string, user: number): void => {
  chownSync(folder, user, user)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) owned(path, user)
    else if (entry.isFile()) chownSync(path, user, user)
  }
}

test('two folders, two surroundings, one lock: equal bytes', async () => {
  const one = new Project({ ...files, ...contents })
  await one.built(['--jobs', '1'], { env: { TZ: 'UTC', LANG: 'C' }, umask: '022' })

  const manifest = one.text('dist/manifest.json')
  one.remove('dist')
  await one.built(['--jobs', '1'], { env: { TZ: 'UTC', LANG: 'C' }, umask: '022' })
  assert.is(one.text('dist/manifest.json'), manifest, 'from the store')

  const reversed = Object.fromEntries(
    Object.entries({ ...files, ...contents, 'zos.lock': one.text('zos.lock') }).reverse(),
  )
  const root = join(temporaryFolder(), 'a much longer name of a folder', 'project')
  mkdirSync(root, { recursive: true })
  const two = new Project(reversed, root)
  for (const name of Object.keys(contents)) chmodSync(two.path(name), 0o600)
  chmodSync(two.path('files/sub'), 0o700)
  const asRoot = process.getuid?.() === 0
  const user = 65_534
  if (asRoot) {
    for (
      let folder = root;
      folder !== '/' && statSync(folder).uid === 0 && folder.includes('zos-project');
      folder = join(folder, '..')
    )
      chmodSync(folder, 0o755)
    owned(root, user)
  } else console.log('skip reproducible as another user: not root')
  await two.built(['--jobs', '4'], {
    env: {
      TZ: 'Pacific/Apia',
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'tr_TR.UTF-8',
      MAKEFLAGS: '-j9',
      EXTRA: 'x',
      TMPDIR: two.root,
    },
    umask: '077',
    ...(asRoot && { uid: user }),
  })
  assert.equal(outputs(two), outputs(one))
  assert.is(two.text('zos.lock'), one.text('zos.lock'))
  if (asRoot) assert.is(statSync(two.path('dist/manifest.json')).uid, user)
})

test('SOURCE_DATE_EPOCH is in the place of the lock’s time, and is not written', async () => {
  const project = new Project({ ...files, ...contents })
  await project.built()
  const lock = project.text('zos.lock')
  const { ran } = await project.built([], { env: { SOURCE_DATE_EPOCH: '1000000000' } })
  assert.equal(Object.keys(ran).sort(), ['initramfs.cpio.xz', 'list.txt'])
  assert.is(JSON.parse(project.text('dist/manifest.json')).epoch, 1_000_000_000)
  assert.is(project.text('zos.lock'), lock)
})

test.run()
