import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkStatic } from '../dist/static-elf.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-static-'))
test.after(() => rmSync(folder, { recursive: true }))

/** What the host's compiler makes of an empty program. */
const compiled = (...flags: string[]): Buffer => {
  const file = join(folder, 'program')
  writeFileSync(join(folder, 'main.c'), 'int main(void) { return 0; }\n')
  execFileSync('cc', [...flags, '-o', file, join(folder, 'main.c')])
  return readFileSync(file)
}

const host = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const other = host === 'x86_64' ? 'aarch64' : 'x86_64'

test('static programs, also position-independent ones', () => {
  checkStatic(compiled('-static'), 'program', host)
  checkStatic(compiled('-static-pie'), 'program', host)
})

test('a dynamic program, and what it needs', () => {
  const error = errorOf(() => checkStatic(compiled(), '/usr/bin/thing', host))
  assert.is(error.code, 'RUST_NOT_STATIC')
  assert.match(error.message, /^\/usr\/bin\/thing: the interpreter \/lib\S+ and needs libc\.so\.6; expected a static/)
})

test('libraries and objects are no programs', () => {
  assert.match(errorOf(() => checkStatic(compiled('-shared', '-nostdlib'), 'x', host)).message, 'type DYN')
  assert.match(errorOf(() => checkStatic(compiled('-c'), 'x', host)).message, 'type REL')
})

test('another machine, and no ELF file at all', () => {
  assert.match(errorOf(() => checkStatic(compiled('-static'), 'x', other)).message, `for ${host}, 64 bits`)
  assert.match(errorOf(() => checkStatic(Buffer.from('#!/bin/sh\n'), 'x', host)).message, 'no ELF file')
})

test.run()
