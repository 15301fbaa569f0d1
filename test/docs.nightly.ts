// time limit: 5400 s
// What docs.system.ts leaves out: commands of the pages that take as long as a first build, and the quickstart's script.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeReader, read } from './pages.js'
import { copyStore, makeQuickstartProject } from './quickstart-project.js'
import { build, project } from './zos.js'

/** Seconds for the quickstart, which may have to be compiled. */
const limit = 1800
const folder = mkdtempSync(join(tmpdir(), 'zos-pages-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('commands that take as long as a first build', async () => {
  await build('variants/quickstart.config.ts', project, limit)
  const place = join(folder, 'project')
  makeQuickstartProject(place)
  copyStore(join(place, '.zos'))
  const { run, runBlocks } = makeReader(
    folder,
    { ...process.env, ZOS_STORE: '' },
    { '/srv/zos-mirror': join(folder, 'mirror') },
  )
  assert.is((await run('zos build', place)).code, 0)
  for (const page of ['docs/build.md', 'docs/guides.md']) {
    const { run: count, left } = await runBlocks(page, place, (needs) => needs === 'the time of a first build')
    assert.ok(count > 1, page)
    assert.equal(left, [], page)
  }
})

test('scripts/quickstart.sh, as the README says', async () => {
  assert.match(read('README.md'), '```sh\nscripts/quickstart.sh\n```')
  const { code, printed } = await makeReader(folder, process.env).run('scripts/quickstart.sh </dev/null', project)
  assert.is(code, 0, printed)
  assert.match(printed, /the machine printed:\n[\s\S]*zos: ready/)
})

test.run()
