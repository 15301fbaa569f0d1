// time limit: 600 s
// The packages as an outsider has them: packed by npm, installed into an empty folder; and the examples on them.
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { packAndInstall, packageNames } from './outsider.js'
import { makeReader } from './pages.js'
import { project } from './zos.js'

/** Seconds for each command. */
const limit = 120
const { folder, modules, run } = await packAndInstall()
const reader = makeReader(folder, { ...process.env, ZOS_STORE: '' }, {}, join(modules, '.bin'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('each package has code, types, README, licence and engines, no sources and no tests', () => {
  for (const name of packageNames) {
    const place = join(modules, '@zos', name)
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
    assert.ok(manifest.engines.node && manifest.license && manifest.description, name)
    for (const file of ['README.md', 'LICENSE']) assert.ok(existsSync(join(place, file)), `${name}: ${file}`)
    assert.not.ok(existsSync(join(place, 'src')) || existsSync(join(place, 'test')), `${name} has sources in it`)
    for (const target of Object.values(manifest.exports) as (string | { types: string; default: string })[])
      for (const file of typeof target === 'string' ? [target] : [target.types, target.default])
        assert.ok(existsSync(join(place, file)), `${name} has no ${file}`)
  }
})

test('each can be imported with what it states as dependencies', async () => {
  const imports = packageNames.map((name) => `import('@zos/${name}')`)
  await run(folder, limit, `node -e "Promise.all([${imports.join(', ')}])"`)
})

/** A copy of an example, in a project folder of its own. */
const exampleAt = (name: string): string => {
  const place = join(folder, 'examples', name)
  cpSync(join(project, 'examples', name), place, { recursive: true })
  return place
}

test('example: a target of zos publish', async () => {
  const place = exampleAt('publish-target')
  await run(place, limit, 'npm test')
  await run(place, limit, 'zos build')
  assert.not.ok(existsSync(join(place, 'releases')), 'a build publishes nothing')
  await reader.runBlocks('examples/publish-target/README.md', place)
  await run(join(place, 'releases/2025.2'), limit, 'sha256sum -c SHA256SUMS && test -s sbom.spdx.json')
})

test('example: a kind of component, and a command for its project', async () => {
  const place = exampleAt('component-kind')
  await reader.runBlocks('examples/component-kind/README.md', place)
  const script = 'mkdir root && cd root && xz -dc ../dist/initramfs.cpio.xz | cpio -idm --quiet && usr/bin/hello'
  assert.match(await run(place, limit, script), /hello from the image\n$/)

  const command = exampleAt('command')
  await reader.runBlocks('examples/command/README.md', command)
  symlinkSync(command, join(modules, 'zos-sums'))
  symlinkSync(modules, join(place, 'node_modules'))
  const manifest = readFileSync(join(place, 'package.json'), 'utf8')
  writeFileSync(join(place, 'package.json'), manifest.replace('"valibot"', '"zos-sums": "1.0.0", "valibot"'))
  const { run: ran } = await reader.runBlocks('examples/command/README.md', place, (needs) => needs !== undefined)
  assert.is(ran, 2)
})

test('example: a board', async () => {
  await reader.runBlocks('examples/hardware/README.md', exampleAt('hardware'))
})

test('zos init plugin makes a plugin whose test passes, which is well typed, and builds', async () => {
  await run(folder, limit, 'zos init plugin acme-board')
  const place = join(folder, 'acme-board')
  await run(place, limit, `npm test && '${join(project, 'node_modules/.bin/tsc')}' --noEmit && zos build`)
})

test.run()
