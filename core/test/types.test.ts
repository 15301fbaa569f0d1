// The public types: what has to be refused is marked, and compiling this file is the test. Nothing here runs.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import {
  defineConfig,
  definePlugin,
  FileTree,
  git,
  http,
  type Ref,
  ref,
  refOption,
  type Secret,
  secret,
  type TapContext,
  type WishToken,
  wishToken,
} from '../dist/index.js'

interface DemoOptions {
  readonly word: string
  readonly count?: number
  readonly deep?: { readonly list?: readonly string[]; readonly flag?: boolean }
  readonly from?: Ref
  readonly key?: Secret
}

const code = import.meta.url
const options: v.GenericSchema<DemoOptions> = v.any()
const base = { version: '1.0.0', code, options }

const demo = definePlugin<DemoOptions>()({
  ...base,
  name: 'demo',
  refs: (id) => ({ made: ref(id, 'thing', 'tree'), named: (name: string) => ref(id, name) }),
  apply: () => undefined,
})
const plain = definePlugin<{ readonly size?: number }>()({
  name: 'plain',
  version: '1',
  code,
  options: v.any(),
  apply: () => undefined,
})

const ports = wishToken<{ readonly port: number }, readonly number[]>('demo/ports')
const words = wishToken<string>('demo/words')

const configs = (): unknown => [
  defineConfig({
    name: 'x',
    plugins: [demo({ word: 'a', from: demo({ word: 'b' }).made, key: secret('KEY') }), plain()],
  }),
  // @ts-expect-error a name is missing
  defineConfig({ plugins: [] }),
  // @ts-expect-error no plugin
  defineConfig({ name: 'x', plugins: [{ id: 'demo' }] }),
  // @ts-expect-error no such architecture
  defineConfig({ name: 'x', arch: 'mips', plugins: [] }),
  // @ts-expect-error no such compression
  defineConfig({ name: 'x', plugins: [], initramfs: { compression: 'lzma' } }),
  // @ts-expect-error no such option of a config
  defineConfig({ name: 'x', plugins: [], colour: 'red' }),
  // @ts-expect-error a config is there when it is asked for
  defineConfig(async () => ({ name: 'x', plugins: [] })),
  // @ts-expect-error no such option of a plugin
  demo({ word: 'a', wrod: 'b' }),
  // @ts-expect-error an option of another type
  demo({ word: 1 }),
  // @ts-expect-error an option that must be given
  demo({}),
  // @ts-expect-error options that must be given
  demo(),
  // @ts-expect-error no such option below
  demo({ word: 'a', deep: { lst: [] } }),
  // @ts-expect-error a function is no data
  demo({ word: () => 'a' }),
  // @ts-expect-error a whole plugin is no reference
  demo({ word: 'a', from: plain() }),
  // @ts-expect-error a text is no reference
  demo({ word: 'a', from: 'plain.tree' }),
  // @ts-expect-error the name of a variable is no secret
  demo({ word: 'a', key: 'KEY' }),
  // @ts-expect-error no such reference
  demo({ word: 'a' }).other,
  // @ts-expect-error a reference is not called
  demo({ word: 'a' }).made('x'),
  // @ts-expect-error a reference that wants a name
  demo({ word: 'a' }).named(),
]

const variants = (): unknown => {
  const config = defineConfig(({ env }) => ({
    name: 'x',
    plugins: [demo({ word: env.WORD ?? 'a' }), demo.as('second', { word: 'b' }), plain()],
  }))
  const small = config.variant({
    name: 'small',
    plugins: { demo: { deep: { list: ['a'] } }, second: false, plain: { size: 1 } },
  })
  return [
    small.variant({ name: 'tiny', plugins: { demo: { deep: { flag: true } } } }),
    // @ts-expect-error a variant has a name
    config.variant({ plugins: {} }),
    // @ts-expect-error no such plugin in the base
    config.variant({ name: 'v', plugins: { demmo: false } }),
    // @ts-expect-error a plugin is left out by false
    config.variant({ name: 'v', plugins: { demo: true } }),
    // @ts-expect-error no such option
    config.variant({ name: 'v', plugins: { demo: { wrod: 'b' } } }),
    // @ts-expect-error an option of another type
    config.variant({ name: 'v', plugins: { second: { word: 1 } } }),
    // @ts-expect-error no such option below
    config.variant({ name: 'v', plugins: { demo: { deep: { lst: [] } } } }),
    // @ts-expect-error a list is replaced by a list of the same kind
    config.variant({ name: 'v', plugins: { demo: { deep: { list: [1] } } } }),
    // @ts-expect-error plugins are named, not listed
    config.variant({ name: 'v', plugins: [plain()] }),
    // @ts-expect-error a config is read-only
    config.changes.push({ name: 'v' }),
  ]
}

const taps = (): unknown =>
  definePlugin<DemoOptions>()({
    ...base,
    name: 'taps',
    apply(hooks, { word, ...more }, { id }) {
      // @ts-expect-error options are those of the plugin
      more.volts
      hooks.resolve.tap('plan', (plan) => {
        plan.wish(ports, { port: 22 })
        plan.wish(words, word)
        plan.own(ports, (wishes) => wishes.map(({ value }) => value.port))
        // @ts-expect-error a wish of another type
        plan.wish(ports, { port: '22' })
        // @ts-expect-error a wish of another type
        plan.wish(words, 22)
        // @ts-expect-error settled into another type
        plan.own(ports, (wishes) => wishes.map(({ by }) => by))
        // @ts-expect-error options are data
        plan.component({ name: 'c', kind: 'k', options: { run: () => 1 } })
        // @ts-expect-error a component has a kind
        plan.component({ name: 'c', options: {} })
        // @ts-expect-error what others declared cannot be read back
        plan.sources
        plan.source('s', http('https://example.org/x', { sha256: '0' }))
        // @ts-expect-error a branch or commit has to be named
        plan.source('g', git('https://example.org/x'))
        // @ts-expect-error no such option
        plan.source('h', http('https://example.org/x', { sha1: '0' }))
        plan.pin({
          name: 'p',
          request: (settled) => ({ ports: settled(ports) }),
          answer: async (request, ctx, previous: { readonly found: number } | undefined) => {
            // @ts-expect-error the request is what was made above
            request.prots
            return { found: (previous?.found ?? 0) + request.ports.length + ctx.epoch }
          },
          // biome-ignore lint/suspicious/noThenProperty: the interface's own name.
          then: (pin, later) => {
            later.source('x', http(`https://example.org/${pin.found}`))
            // @ts-expect-error the pin is what was answered above
            pin.lost
            // @ts-expect-error when pins are known all wishes are settled
            later.wish(words, 'late')
          },
        })
      })
      hooks.assemble.tap('fine', async (tree, ctx) => tree.delta().file('/x', await ctx.project.text('x')))
      hooks.assemble.tap({ name: 'early', order: 'pre' }, async (tree) => tree.delta().tree(FileTree.empty).build())
      // @ts-expect-error no such order
      hooks.assemble.tap({ name: 'first', order: 'first' }, async (tree) => tree.delta())
      // @ts-expect-error a tap without a return gives nothing
      hooks.assemble.tap('nothing', async (tree) => {
        tree.delta().file('/x', '')
      })
      // @ts-expect-error a tree is no delta
      hooks.assemble.tap('tree', async (tree) => tree.all())
      // @ts-expect-error a tap is asynchronous
      hooks.assemble.tap('now', (tree) => tree.delta())
      hooks.build.for('kind').tap('fine', async (component, ctx) => {
        // @ts-expect-error components are read-only
        component.options = {}
        // @ts-expect-error taps have no network
        ctx.download
        // @ts-expect-error taps have no secrets
        ctx.secret
        const settled: readonly number[] = ctx.settled(ports)
        // @ts-expect-error what is settled is what the token says
        const wrong: readonly string[] = ctx.settled(ports)
        // @ts-expect-error a reference, not a name
        await ctx.tree('demo/thing')
        const { tree } = await ctx.run({
          name: 'n',
          command: ['true'],
          inputs: { src: await ctx.tree(ref(id, 'thing', 'tree')) },
          outputs: ['out'],
          toolchain: await ctx.host({ tools: ['sh'] }),
        })
        // @ts-expect-error an action says its toolchain
        await ctx.run({ name: 'n', command: ['true'], inputs: {}, outputs: [] })
        // @ts-expect-error a command is a list of words
        await ctx.run({ name: 'n', command: 'true', inputs: {}, outputs: [], toolchain: await ctx.host({ tools: [] }) })
        return { trees: { tree }, facts: { settled, wrong: wrong.length } }
      })
      // @ts-expect-error facts are data
      hooks.build.for('kind').tap('facts', async () => ({ facts: { when: new Date() } }))
      // @ts-expect-error an artifact has trees, files and facts
      hooks.build.for('kind').tap('tree', async () => ({ tree: 1 }))
      // @ts-expect-error a component gives something
      hooks.build.for('kind').tap('nothing', async () => {})
      // @ts-expect-error a kind has to be named
      hooks.build.tap('all', async () => ({}))
      // @ts-expect-error this hook has no kinds
      hooks.check.for('kind')
      // @ts-expect-error no such hook
      hooks.compile.tap('x', async () => ({}))
      hooks.check.tap('fine', async () => [{ level: 'error', code: 'C', subject: 's', message: 'm' }])
      // @ts-expect-error findings are a list
      hooks.check.tap('nothing', async () => {})
      // @ts-expect-error no such level
      hooks.check.tap('level', async () => [{ level: 'fatal', code: 'C', subject: 's', message: 'm' }])
      // @ts-expect-error a finding says what it is about
      hooks.check.tap('short', async () => [{ level: 'error', code: 'C', message: 'm' }])
      hooks.pack.for('format').tap('fine', async (_output, ctx) => ({ blob: await ctx.blobs.put('x') }))
      // @ts-expect-error an output has content
      hooks.pack.for('format').tap('nothing', async () => ({ note: 'none' }))
      hooks.pin.for('kind').tap('own', async () => null)
      hooks.fetch.for('kind').tap('fine', async ({ pin }, ctx) => ({ blob: await ctx.download([String(pin)]) }))
      // @ts-expect-error what is fetched lies in the store
      hooks.fetch.for('kind').tap('bytes', async () => ({ blob: new Uint8Array() }))
      hooks.publish.tap('fine', async (ctx) => [{ output: ctx.secret({}), url: 'u', sha256: 's' }])
    },
  })

const definitions = (): unknown => [
  // @ts-expect-error options say how they are checked
  definePlugin<DemoOptions>()({ name: 'x', version: '1', code, apply: () => undefined }),
  definePlugin<DemoOptions>()({
    ...base,
    name: 'x',
    // @ts-expect-error a schema of other options
    options: v.strictObject({ other: v.string() }),
    apply: () => undefined,
  }),
  // @ts-expect-error apply only taps, and gives nothing to wait for
  definePlugin<DemoOptions>()({ ...base, name: 'x', apply: 'nothing' }),
  definePlugin<DemoOptions>()({
    ...base,
    name: 'x',
    options: v.strictObject({ word: v.string(), from: v.optional(refOption) }) as v.GenericSchema<DemoOptions>,
    needs: [{ tool: 'sh', install: 'apt-get install dash' }],
    apply: () => undefined,
  }),
  // @ts-expect-error how to install it is said
  definePlugin<DemoOptions>()({ ...base, name: 'x', needs: [{ tool: 'sh' }], apply: () => undefined }),
]

// @ts-expect-error a token of one type is none of another
const other: WishToken<number> = words
// @ts-expect-error what taps get has no files of the host
type Files = TapContext['files']

test('the file compiles: every wrong use above is refused by the types', () => {
  for (const part of [configs, variants, taps, definitions]) assert.type(part, 'function')
  assert.is(other.name, 'demo/words')
  assert.is((undefined as Files | undefined) === undefined, true)
})

test.run()
