// Mirrors of locked inputs: a build from one alone, long after the servers are gone; and what a damaged one does.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { parseMirrorIndex, parseMirrorNote } from '../dist/model/mirror.js'
import { clean, commit, gitIn, upstream } from './git-repository.js'
import { serve } from './http-server.js'
import { configOf, Project, pluginsFile, temporaryFolder } from './temporary-project.js'

const projectOf = (sources: object): Project =>
  new Project({
    'sources.json': JSON.stringify(sources),
    'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: 'none' }`),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks) => {
  hooks.resolve.tap('plan', async (plan) => {
    for (const [name, source] of Object.entries(JSON.parse(await plan.project.text('sources.json')))) plan.source(name, source)
  })
  hooks.pin.for('own').tap('pin', async ({ word }) => ({ word }))
  hooks.fetch.for('own').tap('fetch', async ({ source }, ctx) => {
    if (ctx.offline) throw new Error('own is asked')
    return { blob: await ctx.blobs.put(source.word), facts: { word: source.word }, sources: source.inner }
  })
  hooks.assemble.tap('all', async (tree, ctx) => {
    const delta = tree.delta()
    for (const name of Object.keys(JSON.parse(await ctx.project.text('sources.json')))) {
      const { tree: files, blob, facts } = await ctx.fetched(name)
      if (files) delta.tree(files, '/' + name)
      if (blob) delta.file('/' + name + '.bin', blob)
      if (facts) delta.file('/' + name + '.facts', JSON.stringify(facts))
    }
    return delta
  })
})`),
  })

const image = (project: Project): Buffer => project.bytes('dist/initramfs.cpio')

/** A project with a file, a repository, and a source that makes another known; its servers close with `gone`. */
const start = async () => {
  const server = await serve((_request, response) => void response.end('content of the file'))
  const url = upstream(`mirror-${Math.random().toString(36).slice(2)}`)
  commit(url, 'one', { 'a.txt': 'first', 'b/same.txt': 'first', 'run.sh': '#!/bin/sh\n' })
  gitIn(url, 'tag', '-a', '-m', 'one', 'v1')
  const inner = { more: { kind: 'own', word: 'inner word' } }
  const project = projectOf({
    data: { kind: 'http', urls: [`${server.url}/data.bin`] },
    code: { kind: 'git', url, ref: 'main' },
    found: { kind: 'own', word: 'outer word', inner },
  })
  const gone = async (): Promise<void> => {
    await server.close()
    gitIn(url, 'update-ref', '-d', 'refs/heads/main')
  }
  return { project, gone }
}

test('a build runs from a mirror alone, and gives the same bytes', async () => {
  const { project, gone } = await start()
  await project.quick()
  const before = image(project)
  const mirror = temporaryFolder()
  const { out, code } = await project.run(['lock', '--mirror', mirror])
  assert.is(code, 0, out)
  assert.match(
    out,
    /^zos\.lock: was up to date\ndir:\/\/\S+: 4 inputs, \d+ new objects, \d+\.\d MB\nzos\.mirror\.json: /m,
  )
  const again = JSON.parse((await project.run(['lock', '--mirror', mirror, '--json'])).out)
  assert.equal([again.mirror.inputs, again.mirror.sent, again.mirror.note], [4, 0, 'zos.mirror.json'])

  await gone()
  for (const name of ['.zos', 'dist']) project.remove(name)
  assert.ok((await project.failure(['--offline', '--frozen'])).exit > 0)
  project.remove('.zos')
  const built = await project.quick(['--offline', '--frozen', '--mirror', mirror])
  assert.equal(image(project), before)
  assert.is(built.events.find(({ phase, event }) => event === 'phase' && phase === 'fetch')?.summary, '4 inputs, 4 new')

  project.remove('.zos')
  await project.quick(['--offline', '--frozen'], { ZOS_MIRROR: `dir://${mirror}` })
  assert.equal(image(project), before)
})

test('what the mirror lacks is asked for where it comes from', async () => {
  const { project, gone } = await start()
  const mirror = temporaryFolder()
  assert.is((await project.run(['lock', '--mirror', mirror])).code, 0)
  const sources = JSON.parse(project.text('sources.json'))
  project.write({ 'sources.json': JSON.stringify({ ...sources, late: { kind: 'own', word: 'later' } }) })
  project.remove('.zos')
  await project.quick(['--mirror', mirror])
  assert.match(image(project).toString('latin1'), /later/)
  await gone()
})

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

test('an altered object of any kind of a mirror is refused by its digest', async () => {
  const { project, gone } = await start()
  const mirror = temporaryFolder()
  assert.is((await project.run(['lock', '--mirror', mirror])).code, 0)
  await gone()
  for (const folder of ['blobs', 'trees', 'index']) {
    const file = filesBelow(join(mirror, folder))[0]!
    const good = readFileSync(file)
    const bad = Buffer.from(good)
    bad[bad.length >> 1]! ^= 0xff
    writeFileSync(file, bad)
    project.remove('.zos')
    const { code } = await project.failure(['--offline', '--mirror', mirror])
    assert.ok(/^(MIRROR_DIGEST|DECOMPRESS_CORRUPT|TAR_\w+)$/.test(code), `${file}: ${code}`)
    writeFileSync(file, good)
  }
  project.remove('.zos')
  await project.quick(['--offline', '--mirror', mirror])
})

test('a mirror without its note, or with one that nobody wrote, is told with what to do', async () => {
  const { project, gone } = await start()
  const mirror = temporaryFolder()
  assert.is((await project.run(['lock', '--mirror', mirror])).code, 0)
  project.remove('.zos')
  project.write({ 'zos.mirror.json': '{"version":1}' })
  assert.is((await project.failure(['--mirror', mirror])).code, 'MIRROR_INVALID')
  project.remove('zos.mirror.json')
  const { code, hint } = await project.failure(['--mirror', mirror])
  assert.is(code, 'MIRROR_NOTE')
  assert.match(String(hint), /zos lock --mirror/)
  assert.is((await project.failure(['--mirror', 'ftp://x/y'])).code, 'MIRROR_NOTE')
  await gone()
})

test('notes and indexes: a value or a ZosError, whatever comes in', () => {
  for (const parse of [parseMirrorNote, parseMirrorIndex]) {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parse(text, 'file')
        } catch (error) {
          assert.ok(isZosError(error))
        }
      }),
    )
  }
})

test('CACHE_DOWNLOADS=false fetches anew; VERIFY_CHECKSUMS=false takes what comes, with a warning, and keeps nothing of it', async () => {
  let content = 'first'
  const server = await serve((_request, response) => void response.end(content))
  const project = projectOf({ data: { kind: 'http', urls: [`${server.url}/data.bin`] } })
  await project.quick()
  assert.is(server.seen.length, 1)
  await project.quick([], { CACHE_DOWNLOADS: 'true' })
  assert.is(server.seen.length, 1)
  await project.quick([], { CACHE_DOWNLOADS: '0' })
  assert.is(server.seen.length, 2)

  content = 'other'
  assert.is((await project.failure([], { CACHE_DOWNLOADS: 'false' })).code, 'FETCH_HTTP')
  const built = await project.quick([], { CACHE_DOWNLOADS: 'false', VERIFY_CHECKSUMS: 'false' })
  const warned = built.events.filter(({ event, code }) => event === 'warning' && code === 'CHECKSUM_IGNORED')
  assert.is(warned.length, 1)
  assert.match(warned[0]!.message, /^demo\/data has SHA-256 [0-9a-f]{64}, expected /)
  assert.match(image(project).toString('latin1'), /other/)
  await project.quick()
  assert.match(image(project).toString('latin1'), /first/)

  const release = await project.failure([], { BUILDMODE: 'release', VERIFY_CHECKSUMS: 'false' })
  assert.equal([release.code, release.exit], ['ENV_VERIFY', 3])
  assert.is((await project.failure([], { CACHE_DOWNLOADS: 'yes' })).code, 'ENV_BOOLEAN')
  await server.close()
})

test.after(clean)
test.run()
