// time limit: 300 s
// Builds that are killed at any moment, and the ones after them.
import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const files = {
  'zos.config.ts': configOf('local.demo({})'),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  const names = ['a', 'b', 'c', 'd']
  hooks.resolve.tap('plan', (plan) => {
    for (const name of names) plan.component({ name, kind: 'demo', options: { name } })
  })
  hooks.build.for('demo').tap('make', async ({ options }, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const made = await ctx.run({ name: 'act', toolchain, inputs: {}, outputs: ['out'],
      command: ['sh', '-c', 'mkdir out; i=0; while [ $i -lt 40 ]; do seq $i 9000 > out/' + options.name + '$i; i=$((i+1)); done'] })
    return { trees: { tree: made.tree.subtree('/out') } }
  })
  for (const name of names) hooks.assemble.tap(name, async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, name, 'tree')), '/data'))
})`),
}
const env = { SOURCE_DATE_EPOCH: '1700000000' }

test('kill -9 at ten moments: the next build succeeds, with equal bytes', async () => {
  const sound = new Project(files)
  const start = performance.now()
  await sound.built([], { env })
  const time = performance.now() - start
  const image = sound.bytes('dist/initramfs.cpio.xz')
  for (let round = 0; round < 10; round++) {
    const project = new Project(files)
    let killed = false
    await project.zos(['build'], {
      env,
      onStart: async (child) => {
        await pause(time * (0.1 + 0.09 * round) * (0.9 + Math.random() * 0.2))
        killed = child.kill('SIGKILL')
      },
    })
    const { code, error } = await project.build([], { env })
    assert.is(code, 0, `round ${round}: ${JSON.stringify(error)}`)
    assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(image), `round ${round}`)
    assert.equal(readdirSync(project.path('.zos/v2/work')), [])
    assert.ok(killed || round > 7)
    assert.equal(
      readdirSync(project.path('dist')).filter((name) => name.startsWith('.')),
      [],
    )
  }
})

test('a build that is killed again and again gets to its end, since what was finished stays', async () => {
  const sound = new Project(files)
  const start = performance.now()
  await sound.built(['--jobs', '1'], { env })
  const time = performance.now() - start
  const project = new Project(files)
  let rounds = 0
  for (; rounds < 10; rounds++) {
    const { code } = await project.zos(['build', '--jobs', '1'], {
      env,
      onStart: async (child) => {
        await pause(time * 0.8)
        child.kill('SIGKILL')
      },
    })
    if (code === 0) break
  }
  assert.ok(rounds > 0)
  assert.ok(rounds < 10)
  assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(sound.bytes('dist/initramfs.cpio.xz')))
})

test.run()
