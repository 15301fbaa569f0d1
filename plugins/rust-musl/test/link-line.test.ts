import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseLinkLine } from '../dist/link-line.js'
import { groupedLibraries } from '../dist/sysroot.js'

// As zig 0.17 prints it, the archives of the C library cut short.
const printed = `ar rcs cache/o/28/libunwind.a cache/o/c6/libunwind.o cache/o/5f/Unwind-EHABI.o
ld.lld -r --error-limit=0 -m elf_x86_64 -static -o cache/o/0e/crt1.o cache/o/b6/crt1.o
ar rcs cache/o/00/libc.a cache/o/bf/aio.o cache/o/85/aio_suspend.o
ld.lld --error-limit=0 -mllvm -float-abi=hard -O3 --entry _start -z stack-size=16777216 --build-id=none --gc-sections --eh-frame-hdr -znow -m elf_x86_64 -static -o main cache/o/0e/crt1.o cache/o/87/main.o --as-needed -L/ cache/o/28/libunwind.a cache/o/00/libc.a cache/o/38/libzigc.a cache/o/6f/libcompiler_rt.a
`

test('the last linker command says what a static program needs', () => {
  const parts = parseLinkLine(printed, 'main.o')
  assert.equal(parts, {
    objects: ['cache/o/0e/crt1.o'],
    archives: ['cache/o/28/libunwind.a', 'cache/o/00/libc.a', 'cache/o/38/libzigc.a', 'cache/o/6f/libcompiler_rt.a'],
  })
  assert.equal(groupedLibraries(parts), ['c', 'zigc', 'compiler_rt'])
})

test('another zig is told from this one', () => {
  assert.match(errorOf(() => parseLinkLine('all well\n', 'main.o')).message, 'no command of its linker')
  const without = errorOf(() => parseLinkLine(printed.replaceAll('libunwind.a', 'libgcc_eh.a'), 'main.o'))
  assert.is(without.code, 'RUST_ZIG')
  assert.match(without.message, 'with libunwind.a')
  const twice = printed.replace('cache/o/38/libzigc.a', 'cache/o/39/libc.a')
  assert.match(errorOf(() => parseLinkLine(twice, 'main.o')).message, 'no name twice')
  assert.is(
    errorOf(() => parseLinkLine(printed.replace('cache/o/00/libc.a cache/o/38', '/libc.a cache/o/38'), 'main.o')).code,
    'RUST_ZIG',
  )
})

test.run()
