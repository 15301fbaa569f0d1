// time limit: 240 s
// gc: what goes, what stays, and what the next build makes of it.
import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf } from '../dist/cli/gc.js'
import { Store } from '../dist/store/store.js'
import { answersProject } from './answers.js'
import { temporaryFolder } from './temporary-project.js'

const hour = 3_600_000
const day = 24 * hour

/** A store whose contents are as old as its clock says. */
class Aged {
  now = Date.now() - 10 * day
  readonly folder = temporaryFolder()
  store = Store.open(this.folder, () => this.now)
  async put(name: string): Promise<{ sha256: string; size: number }> {
    const blob = await this.store.blobs.put(name.repeat(1000))
    utimesSync(this.store.blobs.path(blob), this.now / 1000, this.now / 1000)
    return blob
  }
  async result(name: string): Promise<void> {
    await this.store.setResult('memo', name, { trees: {}, files: { one: await this.put(name) }, facts: {} })
  }
  has(name: string): boolean {
    return this.store.result('memo', name) !== undefined
  }
  again(): void {
    this.store.close()
    this.store = Store.open(this.folder, () => this.now)
  }
}

test('without a size only what nothing refers to goes', async () => {
  const aged = new Aged()
  await aged.result('a')
  const orphan = await aged.put('orphan')
  aged.again()
  const { contents, results, before, after } = await aged.store.sweep({ dryRun: false })
  assert.equal(
    [contents, results],
    [
      { kept: 1, removed: 1 },
      { kept: 1, removed: 0 },
    ],
  )
  assert.is(before - after, orphan.size)
  assert.not.ok(existsSync(aged.store.blobs.path(orphan)))
  assert.ok(aged.has('a'))
  aged.store.close()
})

test('with a size what was used last stays, and a use counts', async () => {
  const aged = new Aged()
  for (const name of ['a', 'b', 'c']) {
    await aged.result(name)
    aged.now += day
  }
  assert.ok(aged.has('a'))
  aged.again()
  const dry = await aged.store.sweep({ keep: 2000, dryRun: true })
  assert.equal(dry.results, { kept: 2, removed: 1 })
  assert.equal(await aged.store.sweep({ keep: 2000, dryRun: false }), dry)
  assert.equal(
    ['a', 'b', 'c'].map((name) => aged.has(name)),
    [true, false, true],
  )
  aged.store.close()
})

test('what another process may use stays: rows used, and contents that came, since it began', async () => {
  const aged = new Aged()
  await aged.result('old')
  const orphan = await aged.put('orphan')
  aged.now = Date.now() - 2 * hour
  // Its lease is of this process under another start: pid 1 is always there.
  const { ownerOf } = await import('../dist/store/process-owner.js')
  const { openDatabase } = await import('../dist/store/database.js')
  const database = openDatabase(
    `${aged.folder}/${readdirSync(aged.folder).find((name) => name.startsWith('v'))}/store.sqlite`,
  )
  database.run('INSERT INTO lease(owner, at) VALUES(?, ?)', ownerOf(1)!, aged.now)
  aged.now += 1.5 * hour
  await aged.result('theirs')
  const theirOrphan = await aged.put('their orphan')
  aged.now = Date.now()
  const swept = await aged.store.sweep({ keep: 0, dryRun: false })
  assert.is(swept.users, 1)
  assert.equal([aged.has('old'), aged.has('theirs')], [false, true])
  assert.equal(
    [orphan, theirOrphan].map((blob) => existsSync(aged.store.blobs.path(blob))),
    [false, true],
  )
  database.run('DELETE FROM lease WHERE owner = ?', ownerOf(1)!)
  database.close()
  aged.store.close()
})

test('content that is put again counts as new', async () => {
  const aged = new Aged()
  const orphan = await aged.put('again')
  aged.again()
  const began = Date.now()
  assert.equal(await aged.store.blobs.put('again'.repeat(1000)), orphan)
  await pause(20)
  assert.is((await aged.store.sweep({ dryRun: true })).contents.removed, 1)
  const { statSync } = await import('node:fs')
  assert.ok(statSync(aged.store.blobs.path(orphan)).mtimeMs >= began - 10)
  aged.store.close()
})

test('after a gc of everything the next build gives the same; after one of nothing it runs nothing', async () => {
  const project = answersProject()
  await project.quick()
  const manifest = project.text('dist/manifest.json')
  const { code, out } = await project.run(['gc'])
  assert.is(code, 0)
  assert.match(out, /^removed \d.* of \d.*: \d+ files? and 0 results; .* stay\n$/)
  assert.equal((await project.quick(['--json'])).ran, {})
  const dry = JSON.parse((await project.run(['gc', '--keep', '0', '--dry-run', '--json'])).out)
  assert.ok(dry.results.removed > 5 && dry.dryRun)
  assert.equal((await project.quick(['--json'])).ran, {})
  await project.run(['gc', '--keep', '0'])
  const again = await project.quick(['--json'])
  // A check without findings has no content, and stays.
  assert.equal(again.hits, ['demo/unit'])
  assert.is(project.text('dist/manifest.json'), manifest)
  assert.match((await project.run(['gc', '--keep', 'much'])).err, /^error CLI_SIZE\n/)
})

test('gc after gc beside builds: every build succeeds with the same bytes', async () => {
  const project = answersProject()
  await project.built()
  const sums = (): unknown => JSON.parse(project.text('dist/manifest.json')).outputs
  const expected = sums()
  for (let round = 0; round < 3; round++) {
    const builds = project.zos(['build', '--rebuild-from=assemble', '--json'])
    const sweeps = project.zos(['gc', '--keep', '0'])
    const [build, sweep] = await Promise.all([builds, sweeps])
    assert.equal([build.code, sweep.code], [0, 0], build.out + sweep.err)
    assert.equal(sums(), expected)
  }
})

test('sizes', () => {
  assert.equal(['0', '500M', '5G', '2GiB', '1.5K', '12B'].map(bytesOf), [0, 5e8, 5e9, 2 * 2 ** 30, 1500, 12])
  for (const wrong of ['', '-1', '5 potatoes', '1e9']) assert.throws(() => bytesOf(wrong), /expected a size/)
})

test.run()
