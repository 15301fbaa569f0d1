// A tree as the toolchain of a config: commands see it as their root, and nothing of the host.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { probeBubblewrap } from '../dist/exec/bubblewrap-probe.js'
import { configOf, Project } from './temporary-project.js'

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
const { usable } = await probeBubblewrap()
const skipped = !busybox ? 'no static busybox here' : usable ? undefined : 'no sandbox here'
const runs = (name: string, body: () => Promise<void>): void => {
  if (skipped === undefined) test(name, body)
  else console.log(`skip ${name}: ${skipped}`)
}

const plugins = `import { DeltaBuilder, definePlugin, FileTree, ref } from '@zos/core'
import * as v from 'valibot'
const any = v.looseObject({})
export const tools = definePlugin()({
  name: 'tools', version: '1', code: import.meta.url, options: any,
  refs: (id) => ({ root: ref(id, 'root', 'tree') }),
  apply(hooks) {
    hooks.resolve.tap('root', (plan) => plan.component({ name: 'root', kind: 'tools', options: {} }))
    hooks.build.for('tools').tap('root', async (_, ctx) => {
      const delta = new DeltaBuilder()
      delta.file('/bin/busybox', await ctx.blobs.put(await ctx.project.bytes('busybox')), { mode: 0o755 })
      for (const name of (await ctx.project.text('links')).trim().split(' ')) delta.symlink('/bin/' + name, 'busybox')
      return { trees: { tree: FileTree.empty.apply(delta.build(), { plugin: 'tools' }) } }
    })
  },
})
export const user = definePlugin()({
  name: 'user', version: '1', code: import.meta.url, options: any,
  needs: [{ tool: 'zos-never', install: 'apt-get install never', sandboxed: true }],
  apply(hooks, options) {
    hooks.assemble.tap('made', async (tree, ctx) => {
      const toolchain = await ctx.host({ tools: [options.tool ?? 'sh'] })
      const command = ['/bin/sh', '-euc', 'ls / >list; id -u >>list; echo $HOME >>list; ' + (options.then ?? ':')]
      const { tree: made } = await ctx.run({ name: 'list', command, inputs: {}, outputs: ['list'], toolchain })
      return tree.delta().tree(made)
    })
  },
})
`

const projectOf = (options = '{}', toolchain = ', toolchain: made.root'): Project => {
  const project = new Project({
    'zos.config.ts': configOf(
      `made, local.user(${options})`,
      `, initramfs: { compression: 'none' }${toolchain}`,
    ).replace('export default', 'const made = local.tools({})\nexport default'),
    'plugins.ts': plugins,
    links: 'sh ls id',
  })
  project.write({ busybox: readFileSync(busybox!) })
  return project
}

const listOf = (project: Project): string => {
  const archive = project.text('dist/initramfs.cpio')
  return archive.slice(archive.indexOf('bin\n'), archive.indexOf('/tmp/home\n') + 10)
}

runs('commands see the tree and nothing of the host; another tree runs them again', async () => {
  const project = projectOf()
  await project.built()
  assert.is(listOf(project), 'bin\nbuild\ndev\nproc\ntmp\n1000\n/tmp/home\n')
  assert.equal((await project.built()).ran, {})
  const roots = project.path('.zos/v2/roots')
  assert.is(readdirSync(roots).length, 1)
  project.write({ links: 'sh ls id cat' })
  const { ran } = await project.built()
  assert.match(ran['user/made']!, 'the toolchain of the config changed')
  assert.is(readdirSync(roots).length, 2)
  const { code, out } = await project.zos(['gc'])
  assert.is(code, 0, out)
  assert.equal(readdirSync(roots), [])
})

runs('a shell has the same root', async () => {
  const project = projectOf('{ then: "exit 3" }')
  const error = (await project.build()).error!
  assert.is(error.code, 'ACTION_FAILED')
  const { out, err } = await project.zos(['shell', 'user/made', '--', 'sh', '-c', 'ls /'])
  assert.is(out, 'bin\nbuild\ndev\nproc\ntmp\n', err)
})

runs('doctor asks the host for nothing that the toolchain has to bring', async () => {
  const { code, out } = await projectOf().zos(['doctor'])
  assert.is(code, 0, out)
  assert.not.match(out, 'zos-never')
  assert.match(out, /^ {2}ok {4}compilers come from root of the plugin tools$/m)
  const without = await projectOf('{}', '').zos(['doctor'])
  assert.is(without.code, 6)
  assert.match(without.out, /^ {2}miss {2}zos-never +wanted by user +apt-get install never$/m)
})

runs('what a toolchain cannot do is said', async () => {
  const missing = (await projectOf(`{ tool: 'gcc' }`).build()).error!
  assert.equal([missing.code, missing.exit], ['TOOLCHAIN_TOOL', undefined])
  assert.match(missing.message, 'the toolchain tools/root has no program gcc')
  assert.match(missing.hint[0], 'add the package that brings gcc to the packages of tools')
  const host = (await projectOf().build(['--executor', 'host'])).error!
  assert.is(host.code, 'EXECUTOR_HOST')
  const wrong = (await projectOf('{}', `, toolchain: { ...made.root, plugin: 'gone' }`).zos(['build'])).err
  assert.match(wrong, 'toolchain: refers to gone.tree, but no such plugin is in the config')
})

test.run()
