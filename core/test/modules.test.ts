// time limit: 300 s
// Which modules a command loads: the heavy libraries, and the core's own larger parts, are for those who use them.
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

const loadedBy = async (...words: string[]): Promise<string[]> => {
  rmSync(list, { force: true })
  const { code, err } = await project.zos(words, { node: ['--import', spy] })
  if (code !== 0) throw new Error(err)
  assert.ok(existsSync(list))
  return readFileSync(list, 'utf8').split('\n')
}

const loaded = (...words: string[]): Promise<string[]> => loadedBy('build', ...words)

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

const heavy = ['execa', 'undici', 'minio', 'lzma-native', 'yaml', 'zstd-napi', 'pako']

/** Modules of the core as paths below its `dist`. */
const ownOf = (modules: readonly string[]): string[] =>
  modules.flatMap((module) => /core\/dist\/(.+)\.js$/.exec(module)?.[1] ?? [])

test('what tells only of the program itself loads nothing of a project', async () => {
  for (const words of [['--version'], ['explain', '--help'], ['--help']]) {
    const modules = await loadedBy(...words)
    const packages = packagesOf(modules)
    for (const name of [...heavy, 'jiti', 'cosmiconfig'])
      assert.not.ok(packages.has(name), `${words.join(' ')}: ${name}`)
  }
  assert.equal([...packagesOf(await loadedBy('--version'))], [])
})

test('answers out of the store and judged plans run nothing, and load nothing that runs', async () => {
  await project.zos(['build'])
  const answers = [['explain', 'demo/thing'], ['gc', '--dry-run'], ['diff', '@0', '@0'], ['plan'], ['graph']]
  for (const words of answers) {
    const modules = await loadedBy(...words)
    const packages = packagesOf(modules)
    assert.ok(packages.has('better-sqlite3'), words.join(' '))
    for (const name of heavy) assert.not.ok(packages.has(name), `${words.join(' ')}: ${name}`)
    const own = ownOf(modules)
    const others = answers.flatMap(([name]) => (name === words[0] || name === 'plan' ? [] : [`cli/${name}`]))
    for (const name of [...others, 'cli/build', 'cli/shell', 'graph/svg', 'format/spdx'])
      assert.not.ok(own.includes(name), `${words.join(' ')}: ${name}`)
  }
})

test.run()
