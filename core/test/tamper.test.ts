// time limit: 240 s
// What the store and the lock hold, altered by a bit or swapped for another valid one: refused or made again, never used.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clean, commit, upstream } from './git-repository.js'
import { content, serve, serveFile, sha256 } from './http-server.js'
import { type Built, configOf, type Event, Project, pluginsFile } from './temporary-project.js'

const url = upstream('code')
commit(url, 'one', { 'file.txt': 'of the repository\n' })
const bytes = content(100_000)
const server = await serve((request, response) => serveFile(request, response, bytes))

const project = new Project({
  'zos.config.ts': configOf(
    `local.demo(${JSON.stringify({ url: `${server.url}/file`, repository: url })})`,
    `, initramfs: { compression: 'none' }`,
  ),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    plan.source('download', http(options.url))
    plan.source('code', git(options.repository, { ref: 'main' }))
    plan.component({ name: 'thing', kind: 'demo', options: {}, sources: ['files', 'code', 'download'] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const [files, code, download] = await Promise.all(['files', 'code', 'download'].map((name) => ctx.fetched(name)))
    const made = await ctx.run({ name: 'act', toolchain, inputs: { files: files.tree, code: code.tree, download: download.blob },
      outputs: ['out'], command: ['sh', '-c', 'mkdir out; cat files/* code/file.txt download > out/all'] })
    const part = await ctx.remember('part-1', 1, async () => ({ files: { part: await ctx.blobs.put('remembered') } }))
    return { trees: { tree: made.tree }, files: part.files }
  })
  hooks.assemble.tap('thing', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree'))))
  hooks.assemble.tap('part', async (tree, ctx) => tree.delta().file('/part', await ctx.fileOf(ref(id, 'thing', 'part'))))
  hooks.assemble.tap('unit', async (tree, ctx) => tree.delta().file('/unit', await ctx.project.text('unit.txt')))
  hooks.optimize.tap('upper', async (tree) => tree.delta().replace('/unit', (await tree.text('/unit')).toUpperCase()))
})`),
  'files/a.txt': 'content a\n',
  'files/b.txt': 'content b\n',
  'unit.txt': 'unit',
})
const env = { SOURCE_DATE_EPOCH: '1700000000' }
const image = (): Buffer => project.bytes('dist/initramfs.cpio')
const warned = ({ events }: Built, code: string): Event[] =>
  events.filter((one) => one.event === 'warning' && one.code === code)

await project.quick([], env)
const sound = image()
const lock = project.text('zos.lock')

const blobPath = (digest: string): string => project.path(`.zos/v2/blobs/${digest.slice(0, 2)}/${digest}`)
const flip = (path: string): void => {
  chmodSync(path, 0o644)
  const content = readFileSync(path)
  const at = content.length >> 1
  content[at] = content[at]! ^ 1
  writeFileSync(path, content)
}

const inDatabase = <T>(work: (database: Database.Database) => T): T => {
  const database = new Database(project.path('.zos/v2/store.sqlite'))
  try {
    return work(database)
  } finally {
    database.close()
  }
}
const forgetActions = (): unknown =>
  inDatabase((database) =>
    database.exec(`DELETE FROM result WHERE kind = 'action'; DELETE FROM tap WHERE step LIKE '%thing%'`),
  )

test('inputs of a command, altered by one bit: told with file and both digests, and fetched again', async () => {
  for (const digest of [sha256('content a\n'), sha256('of the repository\n'), sha256(bytes)]) {
    forgetActions()
    flip(blobPath(digest))
    const found = sha256(readFileSync(blobPath(digest)))
    const built = await project.quick([], env)
    const [warning] = warned(built, 'STORE_INCOMPLETE')
    assert.ok(warning?.message.includes(`${blobPath(digest)} has the SHA-256 ${found}, expected ${digest}`), digest)
    assert.ok(image().equals(sound), digest)
  }
})

test('all blobs altered at once', async () => {
  const folder = project.path('.zos/v2/blobs')
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && readFileSync(`${entry.parentPath}/${entry.name}`).length > 0)
      flip(`${entry.parentPath}/${entry.name}`)
  forgetActions()
  project.remove('dist')
  await project.quick([], env)
  assert.ok(image().equals(sound))
})

interface Row {
  readonly id: string
  readonly value: string
  readonly sum: string
}

const tables = {
  result: { id: `kind || ' ' || key`, value: 'value' },
  tap: { id: `step || ' ' || key`, value: 'record' },
  file: { id: 'path', value: 'sha256' },
} as const

for (const [table, { id, value }] of Object.entries(tables)) {
  const rows = (): Row[] =>
    inDatabase(
      (database) =>
        database.prepare(`SELECT ${id} AS id, ${value} AS value, sum FROM ${table} ORDER BY 1`).all() as Row[],
    )
  const put = (name: string, content: string, sum: string): unknown =>
    inDatabase((database) =>
      database.prepare(`UPDATE ${table} SET ${value} = ?, sum = ? WHERE ${id} = ?`).run(content, sum, name),
    )

  const check = async (name: string): Promise<boolean> => {
    project.remove('dist')
    // Nothing above hides this row.
    const built = await project.quick([], env)
    assert.ok(image().equals(sound), `${table} ${name}`)
    const warnings = warned(built, 'STORE_DAMAGED')
    for (const { message } of warnings)
      assert.match(message, /store\.sqlite: the row of .* has the SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/)
    return warnings.length > 0
  }

  test(`rows of the table ${table}, altered or put in another's place, count as missing`, async () => {
    const all = rows()
    assert.ok(all.length >= 2, `${all.length} rows`)
    let seen = 0
    for (const [index, row] of all.entries()) {
      const other = all[(index + 1) % all.length]!
      const at = row.value.length >> 1
      const altered =
        row.value.slice(0, at) + String.fromCharCode(row.value.charCodeAt(at) ^ 1) + row.value.slice(at + 1)
      // A row of a result is read only when the tap above it runs.
      if (table === 'result') inDatabase((database) => database.exec('DELETE FROM tap'))
      put(row.id, altered, row.sum)
      if (await check(`${row.id} altered`)) seen++
      if (table === 'result') inDatabase((database) => database.exec('DELETE FROM tap'))
      put(row.id, other.value, other.sum)
      if (await check(`${row.id} swapped`)) seen++
    }
    assert.ok(seen >= all.length, `${seen} of ${2 * all.length} were seen`)
  })
}

test('the note of an up-to-date build, altered at any bit, is no answer', async () => {
  await project.run(['build'], env)
  const folder = project.path('.zos/fresh')
  const [name = ''] = readdirSync(folder)
  const note = readFileSync(`${folder}/${name}`)
  assert.match((await project.run(['build'], env)).out, /up to date/)
  for (let round = 0; round < 12; round++) {
    const altered = Buffer.from(note)
    const at = Math.floor((note.length * round) / 12)
    altered[at] = altered[at]! ^ 1
    writeFileSync(`${folder}/${name}`, altered)
    const { out } = await project.run(['build'], env)
    assert.match(out, /resolve/, `byte ${at}`)
  }
})

test('digests of the lock, altered or swapped, are refused with both digests', async () => {
  const altered = (text: string): string =>
    text[9] === '0' ? `${text.slice(0, 9)}1${text.slice(10)}` : `${text.slice(0, 9)}0${text.slice(10)}`
  const digest = sha256(bytes)
  const attempt = async (from: string, to: string): Promise<Event> => {
    project.write({ 'zos.lock': lock.replace(from, to) })
    const { error } = await project.build([], { env })
    if (!error) throw new Error(`${to} was taken for ${from}`)
    return error
  }
  // Of the same size, and in the store: as if another source had brought it.
  const present = Buffer.alloc(bytes.length, 1)
  mkdirSync(dirname(blobPath(sha256(present))), { recursive: true })
  writeFileSync(blobPath(sha256(present)), present)
  try {
    for (const other of [altered(digest), sha256('another file'), sha256(present)]) {
      const { code, message } = await attempt(digest, other)
      assert.is(code, 'FETCH_HTTP')
      assert.ok(message.includes(`has SHA-256 ${digest}, expected ${other}`), message)
    }
    const commitOf = /"commit": "([0-9a-f]{40})"/.exec(lock)?.[1] ?? ''
    const { code, message } = await attempt(commitOf, altered(commitOf))
    assert.is(code, 'GIT_COMMIT')
    assert.ok(message.includes(altered(commitOf)), message)
  } finally {
    project.write({ 'zos.lock': lock })
  }
  await project.quick([], env)
  assert.ok(image().equals(sound))
})

test.after(async () => {
  await server.close()
  clean()
})
test.run()
