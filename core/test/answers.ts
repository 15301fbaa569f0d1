// A project whose steps hang on each other in every way, for the commands that answer questions about a build.
import { configOf, Project, pluginsFile } from './temporary-project.js'

export const answersProject = (): Project =>
  new Project({
    'zos.config.ts': configOf('local.demo({})'),
    'config/unit.yaml': 'exec: sshd\nafter:\n  - net\n',
    'src/tool.sh': 'echo tool\n',
    'plugins.ts': pluginsFile(`
const tool = ref('demo', 'tool', 'tree')
export const demo = plugin('demo', (hooks) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.source('src', path('src'))
    plan.component({ name: 'tool', kind: 'demo', options: {}, sources: ['src'] })
    plan.output({ name: 'image.bin', format: 'demo', options: {}, from: ['initramfs'] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh', 'cat'] })
    const { tree } = await ctx.fetched('src')
    ctx.package({ name: 'tool', version: '1', purl: 'pkg:generic/tool@1', license: 'MIT' })
    const made = await ctx.run({
      name: 'make tool', toolchain, inputs: { src: tree }, outputs: ['out'], env: { LEVEL: '3' },
      command: ['sh', '-c', 'mkdir out; echo "making at $LEVEL"; sh src/tool.sh && cat src/tool.sh > out/tool'],
    })
    return { trees: { tree: made.tree.subtree('/out') } }
  })
  hooks.assemble.tap('tool', async (tree, ctx) => tree.delta().tree(await ctx.tree(tool), '/usr/bin'))
  hooks.assemble.tap('units', async (tree, ctx) =>
    tree.delta().file('/etc/unit', (await ctx.project.text('config/unit.yaml')).toUpperCase(), { package: 'tool' }).symlink('/etc/link', 'unit'))
  hooks.optimize.tap('trim', async (tree, ctx) => tree.delta().replace('/usr/bin/tool', await ctx.blobs.put(await tree.text('/usr/bin/tool') + '#')))
  hooks.check.tap('unit', async (tree) => { await tree.text('/etc/unit'); return [] })
  hooks.pack.for('demo').tap('image', async (_output, ctx) => ({ blob: (await ctx.output('initramfs')).blob }))
})`),
  })
