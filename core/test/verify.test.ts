// zos build --verify-cache: what is remembered is made again elsewhere, and what is not pure is named.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile } from './temporary-project.js'

/** A plugin whose parts do what `impure` names, and else are pure. */
const projectOf = (impure: readonly string[]): Project =>
  new Project({
    'zos.config.ts': configOf('local.demo({})'),
    'plugins.ts': pluginsFile(`
const impure = ${JSON.stringify(impure)}
const when = (name, bad, good) => impure.includes(name) ? bad() : good
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.component({ name: 'thing', kind: 'demo', options: {} })
    plan.output({ name: 'list.txt', format: 'text', options: {}, from: [] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh', 'date'] })
    const script = 'mkdir out; echo same > out/same; ' + when('command', () => 'date +%s%N > out/when', when('zone', () => 'date -d @0 +%H > out/hour', ':'))
    const made = await ctx.run({ name: 'act', toolchain, inputs: {}, outputs: ['out'], command: ['sh', '-c', script] })
    const part = await ctx.remember('part-1', 1, async () => ({ files: { part: await ctx.blobs.put(when('function', () => String(Math.random()), 'part')) } }))
    return { trees: { tree: made.tree }, files: part.files, facts: { fact: when('fact', () => String(process.hrtime.bigint()), '1') } }
  })
  hooks.assemble.tap('thing', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree')), '/data').file('/part', await ctx.fileOf(ref(id, 'thing', 'part'))))
  hooks.assemble.tap('letters', async (tree) => tree.delta().file('/letters', when('locale', () => (1234.5).toLocaleString(), '1,234.5')))
  hooks.optimize.tap('zone', async (tree) => tree.delta().file('/hours', when('offset', () => String(new Date(0).getHours()), '0')))
  hooks.check.tap('there', async (tree) => (tree.list('/data'), []))
  hooks.pack.for('text').tap('text', async (output, ctx) => ({ blob: await ctx.blobs.put(when('pack', () => String(Math.random()), 'text')) }))
})`),
  })

const env = { SOURCE_DATE_EPOCH: '1700000000', TZ: 'UTC', LANG: 'C' }

test('a pure build: everything is made again, and equal', async () => {
  const project = projectOf([])
  const first = await project.built(['--verify-cache'], { env })
  assert.equal(first.events.at(-1)?.verified, { tap: 0, action: 0, function: 0 })
  const image = project.bytes('dist/initramfs.cpio.xz')
  const second = await project.built(['--verify-cache'], { env })
  const { tap, action, function: functions } = second.events.at(-1)?.verified ?? {}
  assert.equal([tap, action], [7, 1])
  // The part, and two blocks of the initramfs.
  assert.ok(functions >= 3, `${functions}`)
  assert.equal(second.ran, {})
  assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(image))
  const plain = await project.zos(['build', '--verify-cache=100%'], { env })
  assert.match(plain.out, /made again and equal: 7 taps, 1 commands, \d+ remembered functions\n$/)
  const wrong = await project.zos(['build', '--verify-cache=0%'], { env })
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /CLI_VERIFY\n.*expected a share from 1% to 100%/)
})

test('what is not pure is named, each with where it differs', async () => {
  const names: Record<string, RegExp> = {
    command: /^action demo\/thing act: \/out\/when\.blob\.sha256: "[0-9a-f]{56}… → "[0-9a-f]{56}…$/m,
    function: /^function demo\/part-1: files\.part\.sha256: /m,
    fact: /^tap demo\/thing: facts\.fact: /m,
    locale: /^tap demo\/letters: \/letters\.entry\.blob\.sha256: /m,
    offset: /^tap demo\/zone: \/hours\.entry\.blob\.sha256: /m,
    pack: /^tap list\.txt: blob\.sha256: /m,
  }
  const project = projectOf(Object.keys(names))
  await project.built([], { env })
  const { code, error } = await project.build(['--verify-cache'], { env })
  assert.equal([code, error?.code], [1, 'CACHE_IMPURE'])
  const lines: string = error?.data.findings.join('\n')
  for (const [name, pattern] of Object.entries(names)) assert.match(lines, pattern, `${name}: ${lines}`)
  const zone = projectOf(['zone'])
  await zone.built([], { env })
  assert.match((await zone.build(['--verify-cache'], { env })).error?.message, /action demo\/thing act: \/out\/hour/)
})

test.run()
