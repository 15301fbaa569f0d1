// The plugin alone on real programs of the host, packed by the real UPX.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Action, FileTree } from '@zos/core'
import { type MemoryBlobs, runPlugin, treeOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { upx } from '../dist/index.js'
import { obstacle, type Program, verdict } from '../dist/judge.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-upx-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const plain: Program = {
  path: '/usr/bin/a',
  mode: 0o755,
  hasCapabilities: false,
  type: 'EXEC',
  pie: false,
  arch: 'x86_64',
  isGo: false,
  isPacked: false,
}

test('what must not be packed is known, each for its reason', () => {
  assert.is(obstacle(plain), undefined)
  assert.is(obstacle({ ...plain, type: 'DYN', pie: true, interpreter: '/lib/ld-musl-x86_64.so.1' }), undefined)
  const cases: readonly (readonly [Partial<Program>, RegExp])[] = [
    [{ path: '/lib/ld-musl-x86_64.so.1' }, /loads other/],
    [{ path: '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' }, /loads other/],
    [{ mode: 0o4755 }, /setuid/],
    [{ mode: 0o2755 }, /setgid/],
    [{ hasCapabilities: true }, /capabilities/],
    [{ isGo: true }, /Go/],
    [{ isPacked: true }, /already/],
    [{ type: 'DYN', pie: true }, /static PIE/],
    [{ arch: 'riscv' }, /riscv/],
  ]
  for (const [change, reason] of cases) assert.match(obstacle({ ...plain, ...change }) ?? '', reason)
})

test('a program stays packed where the image gets smaller, or where it is forced; memory is told', () => {
  const sizes = (inImage: number) => ({
    path: '/a',
    plain: { size: 1000, inImage: 300, memory: 1200 },
    packed: { size: 400, inImage },
  })
  assert.equal(verdict(sizes(299), 'smaller'), { isPacked: true, reason: 'the image gets smaller', memory: 600 })
  assert.is(verdict(sizes(300), 'smaller').isPacked, false)
  assert.is(verdict(sizes(301), 'always').isPacked, true)
})

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0

/** Runs the action's command here. */
const here = (action: Action, blobs: MemoryBlobs): FileTree => {
  const work = mkdtempSync(join(folder, 'action-'))
  for (const [name, content] of Object.entries(action.inputs))
    writeFileSync(join(work, name), blobs.get(content as { sha256: string; size: number }))
  execFileSync(action.command[0]!, action.command.slice(1), { cwd: work, stdio: 'ignore' })
  const left = (name: string): Record<string, { content: Uint8Array; mode: number }> => {
    try {
      return { [`result/${name}`]: { content: readFileSync(join(work, 'result', name)), mode: 0o755 } }
    } catch {
      return {}
    }
  }
  return treeOf({ ...left('program'), ...left('why') }, blobs)
}

test('a real program is packed when forced, and runs; by default it stays, since the image would grow', async () => {
  if (!has('upx')) return void console.log('skip upx: there is no upx here')
  if (!has('gcc')) return void console.log('skip upx: there is no gcc here')
  writeFileSync(join(folder, 'a.c'), '#include <stdio.h>\nint main(void) { puts("it runs"); return 0; }\n')
  execFileSync('gcc', ['-static', '-no-pie', '-o', 'a', 'a.c'], { cwd: folder })
  const program = { content: readFileSync(join(folder, 'a')), mode: 0o755 }
  const tree = {
    '/usr/bin/a': program,
    '/usr/bin/b': { ...program, mode: 0o4755 },
    '/usr/bin/c': program,
    '/etc/x': 'x',
  }
  const left = await runPlugin(upx(), { tree, run: here })
  assert.equal(left.changes, [])
  assert.match(
    left.details.join('\n'),
    /\/usr\/bin\/a {2}not packed: the image would get larger \(file \d+ → \d+ bytes, image \+/,
  )
  const forced = await runPlugin(upx({ when: 'always', keep: ['/usr/bin/c'] }), { tree, run: here })
  assert.equal(forced.changes, ['~ /usr/bin/a content'])
  assert.match(forced.details.join('\n'), /\/usr\/bin\/b {2}not packed: setuid/)
  assert.match(forced.details.join('\n'), /\/usr\/bin\/c {2}not packed: keep names it/)
  const entry = forced.tree.get('/usr/bin/a')
  assert.ok(
    entry?.kind === 'file' && entry.mode === 0o755 && entry.origin?.plugin === 'base',
    'it is still its owner’s',
  )
  writeFileSync(join(folder, 'packed'), forced.blobs.get(entry.blob))
  chmodSync(join(folder, 'packed'), 0o755)
  assert.is(execFileSync(join(folder, 'packed'), { encoding: 'utf8' }), 'it runs\n')
  const again = await runPlugin(upx({ when: 'always' }), {
    tree: forced.tree,
    blobs: forced.blobs,
    run: here,
    only: ['optimize'],
  })
  assert.match(again.details.join('\n'), /\/usr\/bin\/a {2}not packed: it is packed already/)
})

test.run()
