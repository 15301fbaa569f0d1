import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const project = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'zos-runner-'))
test.after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'scripts'))
cpSync(join(project, 'scripts/test.mjs'), join(folder, 'scripts/test.mjs'))
symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

/** A test file as source and as if compiled. */
const file = (part: string, name: string, text: string): void => {
  for (const [place, ending] of [
    ['test', 'ts'],
    ['.test', 'js'],
  ]) {
    mkdirSync(join(folder, part, place as string), { recursive: true })
    writeFileSync(join(folder, part, place as string, `${name}.${ending}`), text)
  }
}

const uvu = (body: string): string => `import { test } from 'uvu'\n${body}\ntest.run()\n`

const run = (...args: string[]): { status: number | null; stdout: string; last: string } => {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/test.mjs', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

file('core', 'good.test', uvu("test('one', () => {})\ntest('two', () => {})"))
file(
  'plugins/a',
  'skipping.test',
  `console.log('skip boot: no qemu')\n${uvu("test('one', () => {})\ntest.skip('two')")}`,
)

test('counts are added up, over parts', () => {
  const { status, stdout, last } = run('unit')
  assert.is(last, '3 passed, 0 failed, 2 skipped')
  assert.is(status, 0)
  assert.match(stdout, 'skip boot: no qemu')
  assert.match(stdout, /core +2 passed, 0 failed, \d\.\d s/)
  assert.is(run('unit', 'core/').last, '2 passed, 0 failed')
})

test('whatever does not end well is a failure', () => {
  const start = performance.now()
  file('core', 'bad.system', uvu("test('one', () => { throw new Error('broken') })\ntest('two', () => {})"))
  file('core', 'crash.system', uvu("process.exit(0)\ntest('one', () => {})"))
  file('core', 'empty.system', uvu(''))
  file('core', 'exit.system', uvu("process.on('exit', () => { process.exitCode = 3 })\ntest('one', () => {})"))
  file('core', 'hanging.system', `// time limit: 1 s\nsetInterval(() => {}, 1000)\n${uvu("test('x', () => {})")}`)
  file('core', 'never.system', uvu("test('x', () => new Promise(() => {}))"))
  file('core', 'setup.system', uvu("test.before(() => { throw new Error('x') })\ntest('one', () => {})"))
  file('core', 'skipped.system', uvu("test.skip('all')"))
  writeFileSync(join(folder, 'core/test/stale.system.ts'), '')
  writeFileSync(join(folder, 'core/.test/removed.system.js'), 'process.exit(1)')
  const { status, stdout, last } = run('system')
  assert.is(status, 1)
  // Passed: one each of bad, exit, and hanging before its time was up.
  assert.is(last, '3 passed, 8 failed, 1 skipped', stdout)
  for (const reason of [
    'Error: broken|broken',
    'no summary',
    'no tests',
    'exit code 3',
    'no end after 1 s',
    'not compiled',
  ]) {
    assert.match(stdout, new RegExp(reason))
  }
  assert.not.match(stdout, 'removed')
  assert.ok(performance.now() - start < 20_000)
})

test('a wrong command line, or nothing that matches, is no success', () => {
  assert.is(run().status, 2)
  assert.is(run('units').status, 2)
  const none = run('nightly')
  assert.is(none.status, 1)
  assert.is(none.last, '0 passed, 1 failed')
})

test.run()
