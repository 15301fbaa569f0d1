import { ZosError } from '@zos/core'

/** What zig links into a static program beside the program's own objects: paths as zig names them, in their order. */
export interface LinkParts {
  /** Start files: `crt1.o`, in some versions also `crti.o` and `crtn.o`. */
  readonly objects: readonly string[]
  /** Archives: `libunwind.a`, `libc.a` and what goes with it. */
  readonly archives: readonly string[]
}

const partForm = /^cache\/[A-Za-z0-9_./-]+\.(o|a)$/

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/**
 * Reads the last linker command out of what zig prints with ZIG_VERBOSE_LINK, leaving out the program's own object.
 * Throws `RUST_ZIG` where it is not as expected.
 */
export const parseLinkLine = (output: string, ownObject: string): LinkParts => {
  const line = output.split('\n').findLast((one) => one.startsWith('ld.lld '))
  const parts = (line ?? '').split(' ').filter((part) => partForm.test(part) && baseName(part) !== ownObject)
  const objects = parts.filter((part) => part.endsWith('.o'))
  const archives = parts.filter((part) => part.endsWith('.a'))
  const names = parts.map(baseName)
  const lacking = ['crt1.o', 'libc.a', 'libunwind.a'].filter((name) => !names.includes(name))
  if (lacking.length === 0 && new Set(names).size === names.length) return { objects, archives }
  throw new ZosError(
    'RUST_ZIG',
    line === undefined
      ? 'zig printed no command of its linker'
      : `zig links with ${names.join(' ') || 'nothing of its own'}; expected each once, with ${lacking.join(' and ') || 'no name twice'}`,
    { hint: 'zig 0.17 is known to work' },
  )
}
