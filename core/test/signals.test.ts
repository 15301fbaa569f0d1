// time limit: 240 s
// Signals while `zos build` starts: it ends as asked, says one line, and the next build is as good as any.
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
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
    const made = await ctx.run({ name: 'act', toolchain, inputs: { src: tree }, outputs: ['out'], command: ['sh', '-c', 'cat src/a.txt > out'] })
    return { trees: { tree: made.tree } }
  })
  hooks.assemble.tap('thing', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree'))))
})`),
  'files/a.txt': 'content a\n',
})
const env = { SOURCE_DATE_EPOCH: '1700000000' }
const start = performance.now()
await project.built([], { env })
const whole = performance.now() - start
const sound = project.bytes('dist/initramfs.cpio.xz')

const rounds = 9
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

test(`signals at ${rounds} moments from the first on`, async () => {
  for (let round = 0; round < rounds; round++) {
    const signal = signals[round % signals.length]!
    for (const name of ['.zos', 'dist']) project.remove(name)
    const after = (whole * 0.9 * round) / rounds
    let killed = false
    const { code, out, err } = await project.zos(['build'], {
      env,
      onStart: async (child) => {
        child.on('exit', (_code, by) => {
          killed = by === signal
        })
        await pause(after)
        child.kill(signal)
      },
    })
    const log = existsSync(project.path('dist/build.log')) ? project.text('dist/build.log') : ''
    const what = `${signal} after ${Math.round(after)} ms: ${code}\n${out}${err}${log}`
    // Before the program's first line runs, a signal ends it as it ends any process; after the last step it comes too late.
    if (killed) assert.is(err, '', what)
    else if (code === 130) assert.is(err, 'interrupted; what was finished is in the store\n', what)
    else assert.equal([code, err], [0, ''], what)
    assert.not.match(out + log, 'INTERNAL', what)
  }
  await project.built([], { env })
  assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(sound))
})

test.run()
