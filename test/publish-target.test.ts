// The example of a target written by a third party, as its README says.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { zosIn } from './publish-project.js'
import { project } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-target-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('a target from outside takes the place of any other', async () => {
  const place = join(folder, 'example')
  cpSync(join(project, 'examples/publish-target'), place, { recursive: true })
  rmSync(join(place, 'node_modules'), { recursive: true, force: true })
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
  const built = await zosIn(place, ['build'])
  assert.is(built.end, 0, built.stderr)
  assert.not.ok(readdirSync(place).includes('releases'), 'a build publishes nothing')
  for (const env of [{}, { RELEASE: '2025.2' }]) {
    const ended = await zosIn(place, ['publish'], env)
    assert.is(ended.end, 0, ended.stderr)
    assert.match(ended.stdout, / {2}published\n {4}dir:\/\/.*\/releases\/2025\.\d\/initramfs\.cpio\.xz/)
  }
  const checked = spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: join(place, 'releases/2025.2') })
  assert.is(checked.status, 0)
  const bill = join(place, 'releases/2025.2/sbom.spdx.json')
  assert.ok(existsSync(bill), 'the bill of materials goes along')
})

test.run()
