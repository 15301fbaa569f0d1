// time limit: 3600 s
// The quickstart in an empty project, by the packages as npm packs them; and the same for a board of a third party.
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packAndInstall } from './outsider.js'
import { makeReader } from './pages.js'
import { project, storeOf } from './zos.js'

/** Seconds: a build that may have to compile everything; a short answer. */
const limits = { build: 1800, short: 120 }
const { folder, modules, run } = await packAndInstall()
test.after(() => rmSync(folder, { recursive: true, force: true }))

const place = join(folder, 'quickstart')
const store = { ZOS_STORE: storeOf(project) }

test('the quickstart is built in an empty project', async () => {
  for (const file of ['package.json', 'variants/quickstart.config.ts', 'config/quickstart', 'plugins/zosstorage/crate'])
    cpSync(join(project, file), join(place, file), { recursive: true })
  await run(place, limits.build, 'zos build -c variants/quickstart.config.ts', store)
  assert.ok(existsSync(join(place, 'dist/quickstart/vmlinuz.efi')))
})

test('and for a board', async () => {
  cpSync(join(project, 'examples/hardware'), join(place, 'acme-board'), { recursive: true })
  cpSync(join(place, 'acme-board/board.config.ts'), join(place, 'board.config.ts'))
  cpSync(join(place, 'variants/quickstart.lock'), join(place, 'board.lock'))
  const { runBlocks } = makeReader(folder, { ...process.env, ...store }, {}, join(modules, '.bin'))
  const { run: ran } = await runBlocks('examples/hardware/README.md', place, (needs) => needs !== undefined)
  assert.is(ran, 2)
  assert.is(readFileSync(join(place, 'dist/board/acme.img')).subarray(0, 4).toString(), 'ACME')
  const why = await run(place, limits.short, 'zos why /usr/lib/firmware/acme/nvram.bin -c board.config.ts', store)
  assert.match(why, /acme-board\/nvram/)
})

test.run()
