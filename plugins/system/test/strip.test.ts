// Symbols and debug information of real programs, taken out by the real eu-strip.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Action, FileTree } from '@zos/core'
import { elfArch, elfSections, parseElf } from '@zos/core/format'
import { type MemoryBlobs, runPlugin, treeOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { system } from '../dist/index.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-strip-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const has = (tool: string, flag: string): boolean => spawnSync(tool, [flag]).status === 0

/** Runs the action's command here. */
const here = (action: Action, blobs: MemoryBlobs): FileTree => {
  const work = mkdtempSync(join(folder, 'action-'))
  for (const [name, content] of Object.entries(action.inputs))
    writeFileSync(join(work, name), blobs.get(content as { sha256: string; size: number }))
  execFileSync(action.command[0]!, action.command.slice(1), { cwd: work, stdio: 'ignore' })
  return treeOf({ stripped: { content: readFileSync(join(work, 'stripped')), mode: 0o755 } }, blobs)
}

const compiled = (compiler: readonly string[]): Buffer => {
  writeFileSync(
    join(folder, 'a.c'),
    'static int twice(int n) { return n + n; }\nint main(void) { return twice(21); }\n',
  )
  execFileSync(compiler[0]!, [...compiler.slice(1), '-g', '-o', 'a', 'a.c'], { cwd: folder })
  return readFileSync(join(folder, 'a'))
}

const machines = [
  { arch: 'x86_64', compiler: ['gcc'], flag: '--version' },
  {
    arch: 'aarch64',
    compiler: ['zig', 'cc', '-target', 'aarch64-linux-musl', '-nostdlib', '-fno-sanitize=all', '-Wl,-e,main'],
    flag: 'version',
  },
]

for (const { arch, compiler, flag } of machines)
  test(`a program for ${arch} loses what does not run; modules, debug files and kept ones stay`, async () => {
    if (!has('eu-strip', '--version')) return void console.log(`skip strip ${arch}: there is no eu-strip here`)
    if (!has(compiler[0]!, flag)) return void console.log(`skip strip ${arch}: there is no ${compiler[0]} here`)
    const content = compiled(compiler)
    assert.is(elfArch(parseElf(content).machine), arch)
    const ran = await runPlugin(system({ strip: { keep: ['/opt/**'] } }), {
      tree: {
        '/usr/bin/a': { content, mode: 0o755 },
        '/opt/a': { content, mode: 0o755 },
        '/lib/modules/6.12.0/a.ko': content,
        '/usr/lib/debug/a': content,
        '/usr/bin/script': {
          content: '#!/bin/sh\necho a script is left as it is, however long its text may be\n',
          mode: 0o755,
        },
      },
      run: here,
      only: ['optimize strip'],
    })
    assert.equal(ran.changes, ['~ /usr/bin/a content'])
    const entry = ran.tree.get('/usr/bin/a')
    assert.ok(entry?.kind === 'file' && entry.mode === 0o755)
    const names = elfSections(ran.blobs.get(entry.blob)).map(({ name }) => name)
    assert.ok(names.includes('.text'))
    assert.equal(
      names.filter((name) => name === '.symtab' || name.startsWith('.debug')),
      [],
    )
    if (arch !== 'x86_64') return
    writeFileSync(join(folder, 'stripped'), ran.blobs.get(entry.blob), { mode: 0o755 })
    assert.is(spawnSync(join(folder, 'stripped')).status, 42)
  })

test.run()
