// A build with nothing to do is answered from a note of what the last one looked at. Whatever changes has to be seen.
import { chmodSync, rmSync, truncateSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const project = new Project({
  'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: 'none' }`),
  'plugins.ts': pluginsFile(`import { word } from './word.ts'
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', async (plan) => {
    plan.source('files', path('files'))
    const list = await plan.project.text('list.txt')
    const more = plan.project.env('DEMO_PLAN') ?? ''
    plan.component({ name: 'thing', kind: 'demo', options: { list, more }, sources: ['files'] })
  })
  hooks.build.for('demo').tap('make', async ({ options }, ctx) => {
    const { title } = await ctx.host({ tools: ['demo-tool'] })
    return { facts: { options, title }, trees: { tree: (await ctx.fetched('files')).tree } }
  })
  hooks.assemble.tap('all', async (tree, ctx) => {
    const { facts, trees } = await ctx.artifact(ref(id, 'thing'))
    const seen = [word, facts, await ctx.project.glob('conf/**/*.txt'), ctx.project.env('DEMO_WORD')]
    return tree.delta().file('/all', JSON.stringify(seen)).tree(trees.tree, '/files').tree(await ctx.project.folder('tree'), '/tree')
  })
})`),
  'word.ts': `export const word = 'one'\n`,
  'list.txt': 'a',
  'files/sub/f': 'f',
  'tree/sub/t': 't',
  'conf/a.txt': '',
  'conf/sub/b.txt': '',
  'bin/demo-tool': '#!/bin/sh\n',
})
chmodSync(project.path('bin/demo-tool'), 0o755)
// The sandbox shows only what lies below /usr; the tool's folder is part of the toolchain.
project.edit(
  'plugins.ts',
  `tools: ['demo-tool']`,
  `tools: ['demo-tool'], folders: { '/opt/demo': { from: '${project.path('bin')}', identity: [] } }`,
)

const path = `${project.path('bin')}:${process.env.PATH}`

/** Whether the answer came from the note; the output is what a build from scratch would give in either case. */
const isFresh = async (env: Record<string, string> = {}): Promise<boolean> => {
  const { code, out, err } = await project.run(['build'], { PATH: path, ...env })
  if (code !== 0) throw new Error(err)
  return !out.includes('resolve')
}
const output = (): string => project.bytes('dist/initramfs.cpio').toString('latin1')

const seen = async (what: string, change: () => void, env: Record<string, string> = {}): Promise<void> => {
  await isFresh()
  assert.ok(await isFresh(), `${what}: nothing to do before`)
  change()
  assert.not.ok(await isFresh(env), `${what} is not seen`)
}

test('nothing changed: one line, and no phase', async () => {
  await isFresh()
  const { out } = await project.run(['build'], { PATH: path })
  assert.match(out, /^demo: up to date, 3 steps from the store, \d+\.\d s → dist\/\n$/)
})

test('files, whoever read them', async () => {
  await seen('a file that a resolve tap read', () => project.write({ 'list.txt': 'b' }))
  assert.match(output(), /"list":"b"/)
  await seen('a file in a path source', () => project.write({ 'files/sub/f': 'other' }))
  await seen('a new file in a path source', () => project.write({ 'files/sub/new': 'n' }))
  assert.match(output(), /files\/sub\/new/)
  await seen('a file that left a path source', () => rmSync(project.path('files/sub/new')))
  await seen('a new file in a folder', () => project.write({ 'tree/sub/deep/new': 'n' }))
  assert.match(output(), /tree\/sub\/deep\/new/)
  await seen('a file’s executable bit', () => chmodSync(project.path('tree/sub/t'), 0o755))
  await seen('a new match of a pattern', () => project.write({ 'conf/sub/c.txt': '' }))
  assert.match(output(), /conf\/sub\/c\.txt/)
  await seen('a match that is gone', () => rmSync(project.path('conf/sub/c.txt')))
})

test('rules of what is ignored', async () => {
  await seen('a new .gitignore above a pattern', () =>
    project.write({ '.gitignore': '/conf/sub/b.txt\n/tree/sub/deep\n' }),
  )
  assert.not.match(output(), /b\.txt/)
  assert.not.match(output(), /tree\/sub\/deep/)
  await seen('a .gitignore inside', () => project.write({ 'files/.gitignore': '/sub\n' }))
  assert.not.match(output(), /files\/sub/)
  await seen('a .gitignore that goes', () => rmSync(project.path('files/.gitignore')))
  await seen('the one above goes', () => rmSync(project.path('.gitignore')))
})

test('variables that were read, set or not', async () => {
  await seen('a variable of a tap', () => undefined, { DEMO_WORD: 'w' })
  assert.match(output(), /"w"\]/)
  await seen('a variable of a resolve tap', () => undefined, { DEMO_PLAN: 'p' })
  await seen('the mode', () => undefined, { BUILDMODE: 'debug' })
})

test('lock, outputs and tools', async () => {
  await seen('a lock that is gone', () => rmSync(project.path('zos.lock')))
  await seen('a lock with another epoch', () =>
    project.write({ 'zos.lock': project.text('zos.lock').replace(/"epoch": \d+/, '"epoch": 77') }),
  )
  await seen('an output that is gone', () => rmSync(project.path('dist/initramfs.cpio')))
  await seen('an output that was cut', () => truncateSync(project.path('dist/initramfs.cpio'), 10))
  assert.ok(output().length > 1000)
  await seen('a manifest that is gone', () => rmSync(project.path('dist/manifest.json')))
  await seen('a tool', () => project.write({ 'bin/demo-tool': '#!/bin/sh\n# other\n' }))
  await seen('the store', () => rmSync(project.path('.zos'), { recursive: true }))
})

test('another command line has another note', async () => {
  await isFresh()
  const { out } = await project.run(['build', '--jobs', '1'], { PATH: path })
  assert.match(out, /resolve/)
  const { out: json } = await project.run(['build', '--json'], { PATH: path })
  assert.match(json, /"event":"finish"/)
  const { out: forced } = await project.run(['build', '--force-rebuild'], { PATH: path })
  assert.match(forced, /3 run/)
})

test('the config and its modules', async () => {
  await seen('a module of the config', () => project.write({ 'word.ts': `export const word = 'two'\n` }))
  await seen('the config', () => project.edit('zos.config.ts', `'none'`, `'gzip'`))
})

test.run()
