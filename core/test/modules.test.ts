// Which modules a build with nothing to do loads: the heavy libraries are for those who use them.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const project = new Project({
  'zos.config.ts': configOf('local.demo({})'),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    plan.component({ name: 'thing', kind: 'demo', options: {}, sources: ['files'] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const { tree } = await ctx.fetched('files')
    const made = await ctx.run({ name: 'copy', toolchain, inputs: { src: tree }, outputs: ['out'], command: ['sh', '-c', 'mkdir out; echo x > out/x'] })
    return { trees: { tree: made.tree.subtree('/out') } }
  })
  hooks.assemble.tap('thing', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree')), '/usr'))
})`),
  'files/a': 'a',
})

const list = project.path('modules.txt')
const url = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`

/** Writes down what is imported and, in the end, what was required. */
const spy = url(`
import { appendFileSync } from 'node:fs'
import { Module, register } from 'node:module'
const list = ${JSON.stringify(list)}
register(${JSON.stringify(
  url(`import { appendFileSync } from 'node:fs'
let list
export const initialize = (data) => { list = data }
export const resolve = async (specifier, context, next) => {
  const found = await next(specifier, context)
  appendFileSync(list, found.url + '\\n')
  return found
}`),
)}, { parentURL: 'file:///', data: list })
process.on('exit', () => appendFileSync(list, Object.keys(Module._cache).join('\\n') + '\\n'))
`)

const loaded = async (...words: string[]): Promise<string[]> => {
  rmSync(list, { force: true })
  const { code, err } = await project.zos(['build', ...words], { node: ['--import', spy] })
  if (code !== 0) throw new Error(err)
  assert.ok(existsSync(list))
  return readFileSync(list, 'utf8').split('\n')
}

const packagesOf = (modules: readonly string[]): Set<string> =>
  new Set(modules.flatMap((module) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(module)?.[1] ?? []))

test('a first build loads what it uses', async () => {
  const packages = packagesOf(await loaded())
  for (const name of ['execa', 'lzma-native', 'better-sqlite3', 'jiti']) assert.ok(packages.has(name), name)
  assert.not.ok(packages.has('undici'))
})

test('a build whose steps are all in the store loads nothing heavy', async () => {
  const packages = packagesOf(await loaded('--json'))
  assert.ok(packages.has('better-sqlite3'))
  assert.ok(packages.has('jiti'))
  for (const name of ['execa', 'undici', 'minio', 'lzma-native', 'yaml', 'zstd-napi', 'pako'])
    assert.not.ok(packages.has(name), name)
})

test('a build with nothing to do loads neither config nor store', async () => {
  await project.zos(['build'])
  const modules = await loaded()
  assert.equal([...packagesOf(modules)], [])
  assert.ok(modules.some((module) => module.endsWith('cli/main.js')))
  assert.ok(modules.length < 60, `${modules.length} modules`)
})

test.run()
