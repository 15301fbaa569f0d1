// Builds that are killed at a chosen operation or moment, and the ones after them.
import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { commit, upstream } from './git-repository.js'
import { content, serve, serveFile, type TestServer } from './http-server.js'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const killer = fileURLToPath(new URL('kill-at.js', import.meta.url))
const bytes = content(300_000)
const env = { SOURCE_DATE_EPOCH: '1700000000' }

const code = pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  const names = ['a', 'b', 'c']
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    plan.source('download', http(options.url))
    plan.source('code', git(options.repository, { ref: 'main' }))
    for (const name of names) plan.component({ name, kind: 'demo', options: { name }, sources: ['code', 'files'] })
    plan.output({ name: 'list.txt', format: 'text', options: {}, from: ['initramfs'] })
  })
  hooks.build.for('demo').tap('make', async ({ options }, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const code = await ctx.fetched('code')
    const made = await ctx.run({ name: 'act', toolchain, inputs: { src: code.tree }, outputs: ['out'],
      command: ['sh', '-c', 'mkdir out; cat src/file.txt > out/' + options.name + '; seq 1 5000 > out/numbers-' + options.name] })
    const part = await ctx.remember('part-1', options.name, async () => ({ files: { part: await ctx.blobs.put('part ' + options.name) } }))
    return { trees: { tree: made.tree.subtree('/out') }, files: part.files }
  })
  for (const name of names) hooks.assemble.tap(name, async (tree, ctx) =>
    tree.delta().tree(await ctx.tree(ref(id, name, 'tree')), '/data').file('/part-' + name, await ctx.fileOf(ref(id, name, 'part'))))
  hooks.assemble.tap('download', async (tree, ctx) => tree.delta().file('/download', (await ctx.fetched('download')).blob))
  hooks.assemble.tap('files', async (tree, ctx) => tree.delta().tree((await ctx.fetched('files')).tree, '/files'))
  hooks.optimize.tap('upper', async (tree) => tree.delta().replace('/files/a.txt', (await tree.text('/files/a.txt')).toUpperCase()))
  hooks.check.tap('there', async (tree) => (tree.list('/data'), []))
  hooks.pack.for('text').tap('text', async (output, ctx) => ({
    blob: await ctx.blobs.put(ctx.root.glob('/**').map(({ path }) => path).join('\\n') + (await ctx.output('initramfs')).blob.sha256),
  }))
  hooks.publish.tap('send', async (ctx) => ctx.outputs.map(({ name, blob }) => ({ output: name, url: 'file:///' + name, sha256: blob.sha256 })))
})`)

/** A project with something to do in every phase, and what it fetches from. */
export class FaultyPlace {
  readonly #server: TestServer
  readonly #files: Readonly<Record<string, string>>

  private constructor(server: TestServer, repository: string) {
    this.#server = server
    const options = JSON.stringify({ url: `${server.url}/file`, repository })
    this.#files = {
      'zos.config.ts': configOf(`local.demo(${options})`),
      'plugins.ts': code,
      'files/a.txt': 'content a\n',
      'files/b.txt': 'content b\n'.repeat(50),
    }
  }

  static async make(): Promise<FaultyPlace> {
    const repository = upstream('code')
    commit(repository, 'one', { 'file.txt': 'of the repository\n' })
    return new FaultyPlace(await serve((request, response) => serveFile(request, response, bytes)), repository)
  }

  project(): Project {
    return new Project(this.#files)
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

export interface Sound {
  readonly outputs: Readonly<Record<string, string>>
  readonly lock: string
  /** All that the build did to files and database, in its order. */
  readonly operations: readonly string[]
  readonly ms: number
}

const names = ['initramfs.cpio.xz', 'list.txt', 'manifest.json']
export const outputsOf = (project: Project): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, project.bytes(`dist/${name}`).toString('latin1')]))

/** A build that nobody disturbs, with its operations. */
export const soundBuild = async (place: FaultyPlace): Promise<Sound> => {
  const project = place.project()
  const list = project.path('operations')
  const start = performance.now()
  await project.built(['--publish'], { env: { ...env, OPERATIONS: list }, node: ['--import', killer] })
  const ms = performance.now() - start
  return {
    outputs: outputsOf(project),
    lock: project.text('zos.lock'),
    operations: project.text('operations').split('\n'),
    ms,
  }
}

/** The build after a killed one: it succeeds, gives the same bytes, and leaves nothing behind. */
const recovers = async (project: Project, sound: Sound, what: string): Promise<void> => {
  const { code: exit, error } = await project.build([], { env })
  assert.is(exit, 0, `${what}: ${JSON.stringify(error)}`)
  assert.equal(outputsOf(project), sound.outputs, what)
  assert.is(project.text('zos.lock').replace(/"epoch": \d+/, ''), sound.lock.replace(/"epoch": \d+/, ''), what)
  assert.equal(readdirSync(project.path('.zos/v2/work')), [], what)
  assert.equal(
    readdirSync(project.path('dist')).filter((name) => name.startsWith('.')),
    [],
    what,
  )
}

/**
 * Ends a fresh build after a part of its operations. Their number varies, as chunks of downloads do: a build that ended
 * before is looked at as any other, and says how many there are.
 */
export const killedAt = async (place: FaultyPlace, sound: Sound, part: number): Promise<void> => {
  let { operations } = sound
  for (let tries = 0; tries < 5; tries++) {
    const project = place.project()
    const list = project.path('operations')
    const at = Math.ceil(operations.length * part)
    const run = await project.zos(['build', '--publish'], {
      env: { ...env, KILL_AT: String(at), OPERATIONS: list },
      node: ['--import', killer],
    })
    const what = `killed at operation ${at} of ${operations.length} (${operations[at - 1]})`
    assert.ok(run.code === null || run.code === 0, `${what}: ${run.code} ${run.err}`)
    await recovers(project, sound, what)
    if (run.code === null) return
    operations = project.text('operations').split('\n')
  }
  assert.unreachable(`five builds ended before ${part} of the operations of the one before`)
}

/** Ends a fresh build after a part of the time that it takes. */
export const killedAfter = async (place: FaultyPlace, sound: Sound, part: number): Promise<void> => {
  const project = place.project()
  await project.zos(['build', '--publish'], {
    env,
    onStart: async (child) => {
      await pause(sound.ms * part)
      child.kill('SIGKILL')
    },
  })
  await recovers(project, sound, `killed after ${Math.round(100 * part)} % of ${Math.round(sound.ms)} ms`)
}
