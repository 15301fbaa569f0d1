// Sources through the engine: pins in the lock, what moves them, and builds without network.
import { renameSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clean, commit, gitIn, upstream } from './git-repository.js'
import { serve } from './http-server.js'
import { type Built, configOf, type Event, Project, pluginsFile } from './temporary-project.js'

/** What each source is lies in sources.json, so that tests change it without changing code. */
const projectOf = (sources: object): Project =>
  new Project({
    'sources.json': JSON.stringify(sources),
    'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: 'none' }`),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options) => {
  const read = async (project) => JSON.parse(await project.text('sources.json'))
  hooks.resolve.tap('plan', async (plan) => {
    for (const [name, source] of Object.entries(await read(plan.project)))
      plan.source(name, options.ref && name === 'code' ? { ...source, ref: options.ref } : source)
  })
  hooks.pin.for('own').tap('pin', async (source) => source.states ? null : { found: source.word })
  hooks.fetch.for('own').tap('fetch', async ({ source, pin }, ctx) => ({ blob: await ctx.blobs.put(source.word), sources: source.inner }))
  hooks.assemble.tap('all', async (tree, ctx) => {
    const delta = tree.delta()
    for (const name of Object.keys(await read(ctx.project))) {
      const { tree, blob, facts } = await ctx.fetched(name)
      if (tree) delta.tree(tree.filter(({ path }) => !path.startsWith('/.git')), '/' + name)
      if (blob) delta.file('/' + name + '.bin', blob)
      if (facts) delta.file('/' + name + '.facts', JSON.stringify(facts))
    }
    return delta
  })
}, { env: { DEMO_REF: 'ref' } })`),
  })

const image = (project: Project): string => project.bytes('dist/initramfs.cpio').toString('latin1')
const lockOf = (
  project: Project,
): { epoch: number; pins: Record<string, { request: object; pin: Record<string, string> }> } => {
  const { epoch, arch } = JSON.parse(project.text('zos.lock'))
  return { epoch, pins: arch.x86_64.pins.demo ?? {} }
}
const warnings = ({ events }: Built): Event[] => events.filter(({ event }) => event === 'warning')
const summary = (built: Built): string =>
  built.events.find(({ phase, event }) => event === 'phase' && phase === 'fetch')?.summary

test('without history one commit is fetched, and the tree has no .git', async () => {
  const url = upstream('shallow')
  commit(url, 'one', { 'file.txt': 'first version' })
  gitIn(url, 'tag', '-a', '-m', 'one', 'v1')
  const second = commit(url, 'two', { 'file.txt': 'second version' })
  const project = projectOf({ code: { kind: 'git', url: `file://${url}`, ref: 'main', history: false } })
  await project.quick()
  assert.equal(lockOf(project).pins['source code']?.pin, { commit: second, ref: 'refs/heads/main', tags: {} })
  assert.match(image(project), new RegExp(`"describe":"${second.slice(0, 12)}"`))
  assert.match(image(project), 'second version')
})

test('a branch stays where the lock has it, until it is updated', async () => {
  const url = upstream('branch')
  const first = commit(url, 'one', { 'file.txt': 'first version' })
  gitIn(url, 'tag', '-a', '-m', 'one', 'v1')
  const project = projectOf({ code: { kind: 'git', url, ref: 'main' } })
  await project.quick()
  assert.is(lockOf(project).pins['source code']?.pin.commit, first)
  assert.match(image(project), /first version/)
  assert.match(image(project), /"describe":"v1-0-g/)
  const lock = project.text('zos.lock')

  const second = commit(url, 'two', { 'file.txt': 'second version' })
  assert.equal((await project.quick()).ran, {})
  assert.is((await project.run(['lock'])).out, 'zos.lock: was up to date\n')
  assert.is(project.text('zos.lock'), lock)

  const wrong = await project.run(['update', 'demo/cod'])
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /the lock has no entry demo\/cod\n {2}hint: did you mean: demo\/code\n/)
  assert.is(project.text('zos.lock'), lock)

  assert.is((await project.run(['update', 'demo/code'])).out.split('\n').at(-2), 'zos.lock: written')
  assert.is(lockOf(project).pins['source code']?.pin.commit, second)
  // One entry moves, not the time that all outputs carry.
  assert.is(lockOf(project).epoch, JSON.parse(lock).epoch)
  await project.quick()
  assert.match(image(project), /second version/)
  assert.match(image(project), /"describe":"v1-1-g/)

  const third = commit(url, 'three', { 'file.txt': 'third version' })
  for (const name of ['demo', 'code']) assert.is((await project.run(['update', name])).code, 0, name)
  assert.is(lockOf(project).pins['source code']?.pin.commit, third)
  commit(url, 'four')
  await project.run(['update'])
  assert.is.not(lockOf(project).pins['source code']?.pin.commit, third)
})

test('a build from the store needs no network, and --offline uses none', async () => {
  const url = upstream('offline')
  commit(url, 'one', { 'file.txt': 'text' })
  const project = projectOf({ code: { kind: 'git', url, ref: 'main' } })
  await project.quick()
  renameSync(url, `${url}-away`)
  project.remove('dist')
  await project.quick(['--offline'])
  assert.match(image(project), /text/)
  renameSync(`${url}-away`, url)
  // A repository of this machine needs no network.
  project.remove('.zos')
  await project.quick(['--offline'])
  const remote = projectOf({ code: { kind: 'git', url: 'https://127.0.0.1:1/code.git', ref: 'main' } })
  const missing = await remote.failure(['--offline'])
  assert.equal([missing.code, missing.exit, missing.plugin], ['OFFLINE', 5, 'demo'])
  assert.match(missing.hint[0], /without --offline/)
})

test('a changed question: debug asks it again and says so, release and --frozen list the differences', async () => {
  const url = upstream('question')
  commit(url, 'one', { 'file.txt': 'on main' })
  gitIn(url, 'branch', 'next')
  const tip = commit(url, 'two', { 'file.txt': 'also on main' })
  const other = upstream('untouched')
  const kept = commit(other, 'one', { x: 'x' })
  const sources = { code: { kind: 'git', url, ref: 'main' }, other: { kind: 'git', url: other, ref: 'main' } }
  const project = projectOf(sources)
  const none = await project.failure(['--frozen'])
  assert.equal([none.code, none.exit], ['LOCK_MISSING', 4])
  assert.is((await project.failure([], { BUILDMODE: 'release' })).code, 'LOCK_MISSING')
  await project.quick()
  await project.quick([], { BUILDMODE: 'release' })
  await project.quick(['--frozen'])
  const lock = project.text('zos.lock')
  commit(other, 'two', { x: 'y' })

  project.write({ 'sources.json': JSON.stringify({ ...sources, code: { ...sources.code, ref: 'next' } }) })
  for (const failure of [await project.failure(['--frozen']), await project.failure(['--mode', 'release'])]) {
    assert.equal([failure.code, failure.exit], ['LOCK_STALE', 4])
    assert.is(failure.message, 'zos.lock answers another question for demo/source code:\n  ref: "main" → "next"')
    assert.match(failure.hint.join(), /zos lock/)
  }
  assert.is(project.text('zos.lock'), lock)
  const moved = await project.quick()
  assert.is(warnings(moved)[0]?.code, 'LOCK_MOVED')
  assert.match(warnings(moved)[0]?.message, /ref: "main" → "next"/)
  assert.is.not(lockOf(project).pins['source code']?.pin.commit, tip)
  // The pins that still fit stay.
  assert.is(lockOf(project).pins['source other']?.pin.commit, kept)
  assert.match(image(project), /on main/)
})

test('an override holds for one build, and is never written', async () => {
  const url = upstream('override')
  commit(url, 'one', { 'file.txt': 'on main' })
  gitIn(url, 'branch', 'side')
  commit(url, 'two', { 'file.txt': 'on main too' })
  gitIn(url, 'checkout', '-q', 'side')
  commit(url, 'side', { 'file.txt': 'on the side' })
  const project = projectOf({ code: { kind: 'git', url, ref: 'main' } })
  await project.quick()
  const lock = project.text('zos.lock')
  const overridden = await project.quick([], { DEMO_REF: 'side' })
  assert.match(image(project), /on the side/)
  assert.is(project.text('zos.lock'), lock)
  assert.equal(
    warnings(overridden).map(({ code }) => code),
    [],
  )
  await project.quick()
  assert.match(image(project), /on main too/)
  await project.quick(['--frozen'], { DEMO_REF: 'side' })
  assert.is(project.text('zos.lock'), lock)
})

test('entries that nothing asks for leave the lock', async () => {
  const project = projectOf({ a: { kind: 'own', word: 'a' }, b: { kind: 'own', word: 'b' } })
  await project.quick()
  assert.equal(Object.keys(lockOf(project).pins), ['source a', 'source b'])
  project.write({ 'sources.json': JSON.stringify({ a: { kind: 'own', word: 'a' } }) })
  await project.quick()
  assert.equal(Object.keys(lockOf(project).pins), ['source a'])
})

test('a source that states what it is has no entry, in release neither', async () => {
  const project = projectOf({
    a: { kind: 'own', word: 'a', states: true },
    b: { kind: 'own', word: 'b', sha256: '0'.repeat(64) },
    c: { kind: 'path', path: 'folder' },
  })
  project.write({ 'folder/file': 'in a folder' })
  await project.quick()
  assert.equal(lockOf(project).pins, {})
  await project.quick(['--frozen', '--rebuild-from=fetch'])
  assert.match(image(project), /in a folder/)
  // It did not state it before.
  project.write({ 'sources.json': JSON.stringify({ a: { kind: 'own', word: 'a' } }) })
  await project.quick()
  assert.equal(Object.keys(lockOf(project).pins), ['source a'])
  project.write({ 'sources.json': JSON.stringify({ a: { kind: 'own', word: 'a', states: true } }) })
  await project.quick()
  assert.equal(lockOf(project).pins, {})
})

test('sources found inside of sources are pinned and fetched, until none is new', async () => {
  const inner = { deep: { kind: 'own', word: 'deep', inner: { deeper: { kind: 'own', word: 'deeper' } } } }
  const project = projectOf({ top: { kind: 'own', word: 'top', inner } })
  const built = await project.quick()
  assert.equal(Object.keys(lockOf(project).pins), ['source top', 'source top/deep', 'source top/deep/deeper'])
  assert.is(summary(built), '3 inputs, 3 new')
  assert.is(summary(await project.quick()), '3 inputs, 0 new')
})

test('a file without a digest is pinned to what it gave first', async () => {
  let content = 'first content'
  const server = await serve((_request, response) => void response.end(content))
  const project = projectOf({ data: { kind: 'http', urls: [`${server.url}/data.bin`] } })
  await project.quick()
  const { sha256, size } = lockOf(project).pins['source data']?.pin ?? {}
  assert.match(sha256 ?? '', /^[0-9a-f]{64}$/)
  assert.is(size as unknown, content.length)
  assert.is(server.seen.length, 1)
  content = 'other content'
  await project.quick(['--force-rebuild'])
  assert.is(server.seen.length, 1)
  assert.match(image(project), /first content/)

  project.remove('.zos')
  const offline = await project.failure(['--offline'])
  assert.equal([offline.code, offline.exit], ['OFFLINE', 5])
  assert.is(server.seen.length, 1)
  const changed = await project.failure()
  assert.equal([changed.exit, changed.plugin, changed.subject], [5, 'demo', 'data.bin'])
  assert.ok(changed.message.includes(sha256!))
  assert.is((await project.run(['update', 'demo/data'])).code, 0)
  await project.quick()
  assert.match(image(project), /other content/)
  await server.close()
})

test('a file that is not there is told with what to do', async () => {
  const server = await serve((_request, response) => void response.writeHead(404).end())
  const project = projectOf({ data: { kind: 'http', urls: [`${server.url}/gone.bin`], sha256: '0'.repeat(64) } })
  const { exit, plugin, hook, message, hint } = await project.failure()
  assert.equal([exit, plugin, hook], [5, 'demo', 'fetch'])
  assert.match(message, /404/)
  assert.match(message, /gone\.bin/)
  assert.ok(hint.length > 0)
  await server.close()
})

test('a failed download ends the others at once', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/gone') response.writeHead(404).end()
    else response.writeHead(200, { 'content-length': '1000000' }).write('slow')
  })
  const project = projectOf({
    gone: { kind: 'http', urls: [`${server.url}/gone`], sha256: '0'.repeat(64) },
    slow: { kind: 'http', urls: [`${server.url}/slow`], sha256: '1'.repeat(64) },
  })
  const start = performance.now()
  const { exit, plugin, subject } = await project.failure()
  assert.equal([exit, plugin, subject], [5, 'demo', 'gone'])
  assert.ok(performance.now() - start < 5000)
  await server.close()
})

test('what failed after the pins were found does not ask for them again', async () => {
  const url = upstream('later')
  const found = commit(url, 'one', { x: 'x' })
  const project = projectOf({ code: { kind: 'git', url, ref: 'main' } })
  project.edit('plugins.ts', `const delta = tree.delta()`, `throw new Error('later')`)
  assert.is((await project.failure()).code, 'PLUGIN_FAILED')
  assert.is(lockOf(project).pins['source code']?.pin.commit, found)
})

test.after(clean)
test.run()
