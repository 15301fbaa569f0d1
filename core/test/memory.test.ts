// The two memories, seen from outside: what runs again after an edit, and what the build says about it.
import { existsSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Built, configOf, Project, pluginsFile } from './temporary-project.js'

/** The action's result differs from run to run, so that equal bytes prove that it was not run again. */
const code = pluginsFile(`import { shout } from './shout.ts'
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    plan.component({ name: 'thing', kind: 'demo', options: {}, sources: ['files'] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const { tree } = await ctx.fetched('files')
    const toolchain = await ctx.host({ tools: ['sh', 'cp'] })
    const made = await ctx.run({
      name: 'copy', toolchain, inputs: { src: tree }, outputs: ['out'],
      command: ['sh', '-c', 'mkdir out; cp -r src/. out/; date +%s%N > out/when'],
    })
    return { trees: { tree: made.tree.subtree('/out') } }
  })
  hooks.assemble.tap('place', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree')), '/usr/thing'))
  hooks.assemble.tap('greeting', async (tree, ctx) => tree.delta().file('/etc/greeting', options.greeting + ' ' + ctx.mode))
  hooks.assemble.tap('unit', async (tree, ctx) => tree.delta().file('/etc/unit', await ctx.project.text('unit.txt')))
  hooks.assemble.tap('shout', async (tree, ctx) => tree.delta().file('/etc/shout', shout(await ctx.project.text('shout.txt'))))
  hooks.assemble.tap('conf', async (tree, ctx) => tree.delta().file('/etc/conf', (await ctx.project.glob('conf/*.txt')).join()))
  hooks.assemble.tap('folder', async (tree, ctx) => tree.delta().tree(await ctx.project.folder('tree'), '/usr/tree'))
  hooks.assemble.tap('env', async (tree, ctx) => tree.delta().file('/etc/word', ctx.project.env('DEMO_WORD') ?? 'none'))
})
export const other = plugin('other', (hooks) => {
  hooks.optimize.tap('sum', async (tree) => tree.delta().file('/etc/sum', (await tree.text('/etc/shout')).length + ''))
  hooks.optimize.tap('names', async (tree) => tree.delta().file('/etc/names', tree.glob('/usr/tree/**').map(({ path }) => path).join()))
  hooks.optimize.tap('nothing', async (tree) => (tree.get('/etc/never'), tree.delta()))
  hooks.check.tap('there', async (tree) => (tree.list('/etc'), []))
})
`)

const config = configOf(`local.demo({ greeting: 'hello' }), local.other()`, `, initramfs: { compression: 'none' }`)

const project = new Project({
  'zos.config.ts': config,
  'plugins.ts': code,
  'shout.ts': 'export const shout = (text) => text.toUpperCase()\n',
  'files/a.txt': 'a',
  'unit.txt': 'unit',
  'shout.txt': 'loud',
  'conf/one.txt': '1',
  'tree/sub/file': 'x',
})

const output = (): string => project.bytes('dist/initramfs.cpio').toString('latin1')
const ranIn = ({ ran }: Built): string[] => Object.keys(ran).sort()
let steps: string[] = []

test('the first build runs every step, the second none', async () => {
  const first = await project.quick()
  steps = ranIn(first)
  assert.is(steps.length, 13)
  assert.ok(Object.values(first.ran).every((why) => why === 'first time'))
  const image = output()
  const second = await project.quick()
  assert.equal(ranIn(second), [])
  assert.equal(second.hits.slice().sort(), steps)
  assert.is(output(), image)
})

test('a file that is edited reruns its reader alone, and is named as the reason', async () => {
  project.write({ 'unit.txt': 'other unit' })
  const { ran } = await project.quick()
  assert.equal(ran, { 'demo/unit': 'unit.txt changed', 'initramfs.cpio': 'the root file system changed: demo/unit' })
  assert.ok(output().includes('other unit'))
})

test('a change that gives an equal result goes no further', async () => {
  project.write({ 'shout.txt': 'LOUD' })
  assert.equal((await project.quick()).ran, { 'demo/shout': 'shout.txt changed' })
  project.write({ 'shout.txt': 'loud!' })
  assert.equal(ranIn(await project.quick()), ['demo/shout', 'initramfs.cpio', 'other/sum'])
})

test('a state that was built before is taken from the store', async () => {
  project.write({ 'unit.txt': 'unit', 'shout.txt': 'loud' })
  assert.equal((await project.quick()).ran, {})
  assert.not.ok(output().includes('other unit'))
})

test('a new input of an action runs it', async () => {
  const image = output()
  project.write({ 'files/a.txt': 'b' })
  const { ran } = await project.quick()
  assert.equal(Object.keys(ran).sort(), ['demo/place', 'demo/thing', 'initramfs.cpio'])
  assert.is.not(output(), image)
})

test('globs, folders, variables and settings are reads', async () => {
  project.write({ 'conf/one.txt': 'content is not looked at' })
  assert.equal((await project.quick()).ran, {})
  project.write({ 'conf/two.txt': '2' })
  assert.is((await project.quick()).ran['demo/conf'], 'conf/*.txt changed')
  project.write({ 'tree/sub/more': 'y' })
  assert.equal((await project.quick()).ran, {
    'demo/folder': 'tree changed',
    'other/names': '/usr/tree/** changed',
    'initramfs.cpio': 'the root file system changed: demo/folder, other/names',
  })
  const word = await project.quick([], { DEMO_WORD: 'w' })
  assert.is(word.ran['demo/env'], 'DEMO_WORD changed: missing → w')
  const other = await project.quick([], { DEMO_WORD: 'x' })
  assert.is(other.ran['demo/env'], 'DEMO_WORD changed: w → x')
  assert.is((await project.quick(['--mode', 'debug'])).ran['demo/env'], undefined)
})

test('a setting that a tap reads reruns it, and those that do not read it stay', async () => {
  const { ran } = await project.quick([], { BUILDMODE: 'release' })
  assert.equal(ran, {
    'demo/greeting': 'mode changed: debug → release',
    'initramfs.cpio': 'the root file system changed: demo/greeting',
  })
  assert.ok(output().includes('hello release'))
})

test('steps are remembered for each state, and named by what they are', async () => {
  const { ran } = await project.quick(['--rebuild-from=demo/unit'])
  assert.is(ran['demo/unit'], 'asked for')
  assert.is(ran['demo/conf'], undefined)
  assert.is(ran['other/sum'], 'asked for')
  assert.ok(existsSync(project.path('dist/manifest.json')))
})

test('edited code of a local plugin reruns its taps, and runs no action again', async () => {
  const image = output()
  project.write({ 'plugins.ts': `${project.text('plugins.ts')}// A remark.\n` })
  const { ran } = await project.built()
  assert.equal(
    Object.keys(ran).sort(),
    steps.filter((step) => step !== 'initramfs.cpio'),
  )
  assert.is(ran['demo/thing'], 'the code of demo changed')
  assert.is(output(), image)
  project.write({ 'shout.ts': 'export const shout = (text) => text + text\n' })
  const imported = await project.built()
  assert.is(imported.ran['demo/shout'], 'the code of demo changed')
  assert.ok(output().includes('loudloud'))
})

// From here on the code has changed, which this process does not see.
test('an edited option reruns the taps of its plugin, and is shown', async () => {
  project.edit('zos.config.ts', "'hello'", "'good day'")
  const { ran } = await project.built()
  assert.is(ran['demo/greeting'], 'options changed: greeting: "hello" → "good day"')
  assert.is(ran['other/sum'], undefined)
})

test.run()
