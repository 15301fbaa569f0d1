import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { probe } from '../dist/probe.js'
import { probeInitramfs, probeProgram, probeText } from '../dist/probe-guest.js'
import { contextOf } from './context.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-probe-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0
const skip = (name: string, reason: string): void => console.log(`skip ${name}: ${reason}`)

test('the probe guest is one archive with one program', async () => {
  const text = Buffer.from(await probeInitramfs()).toString('latin1')
  assert.is(text.slice(0, 6), '070701')
  assert.is(text.split('070701').length, 3)
  assert.match(text, /init\0/)
  assert.ok(text.includes(probeText))
})

test('readelf takes the probe program for a static one', () => {
  if (!has('readelf')) return skip('readelf', 'binutils is not installed')
  const path = join(folder, 'program')
  writeFileSync(path, probeProgram())
  const { stdout, stderr } = spawnSync('readelf', ['-hlW', path], { encoding: 'utf8' })
  assert.is(stderr, '')
  assert.match(stdout, /Machine: +Advanced Micro Devices X86-64/)
  assert.match(stdout, /Entry point address: +0x400078/)
  assert.match(stdout, /LOAD +0x000000 0x0+400000 .* R E 0x1000/)
  assert.not.match(stdout, /INTERP|DYNAMIC/)
})

test('a real kernel gets to userspace with it', async () => {
  const kernel = fileURLToPath(new URL('../../../dist/quickstart/vmlinuz', import.meta.url))
  if (!has('qemu-system-x86_64')) return skip('probe', 'qemu-system-x86 is not installed')
  if (!existsSync(kernel)) return skip('probe', 'dist/quickstart has no kernel: the quickstart is not built')
  mkdirSync(join(folder, 'vm'))
  const { ctx } = contextOf({ folder, outputs: [] })
  assert.is(await probe(ctx, 'x86_64', kernel, 'tcg'), 'userspace')
})

test.run()
