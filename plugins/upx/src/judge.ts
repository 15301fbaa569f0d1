// Which programs may be packed, and which of them are. Pure.

/** What of a file decides. */
export interface Program {
  readonly path: string
  readonly mode: number
  readonly hasCapabilities: boolean
  readonly type: 'EXEC' | 'DYN'
  readonly pie: boolean
  readonly interpreter?: string
  readonly arch: string
  readonly isGo: boolean
  readonly isPacked: boolean
}

/** Architectures whose packed programs UPX 4.2 tests and starts. */
const packable = new Set(['x86_64', 'aarch64', 'i386', 'arm'])

const isLoader = (path: string): boolean =>
  /\/(ld-musl-[^/]+|ld-linux[^/]*|ld64?)\.so[^/]*$|\/ld-[0-9.]+\.so$/.test(path)

/** Why a file must stay as it is; `undefined` for one that may be packed. Libraries are no candidates at all. */
export const obstacle = (program: Program): string | undefined => {
  if (isLoader(program.path)) return 'it loads other programs'
  if ((program.mode & 0o6000) !== 0) return 'setuid or setgid: a packed program would read itself with other rights'
  if (program.hasCapabilities) return 'it has file capabilities'
  if (program.isPacked) return 'it is packed already'
  if (program.isGo) return 'Go: its runtime reads its own sections'
  if (program.pie && program.interpreter === undefined) return 'static PIE: the stub cannot relocate it on every kernel'
  if (!packable.has(program.arch)) return `UPX does not pack for ${program.arch}`
  return undefined
}

export interface Measured {
  readonly path: string
  /** Bytes of the file, of the file compressed as the image is, and of its segments in memory. */
  readonly plain: { readonly size: number; readonly inImage: number; readonly memory: number }
  readonly packed: { readonly size: number; readonly inImage: number }
}

export interface Verdict {
  readonly isPacked: boolean
  readonly reason: string
  /** Bytes of memory that it costs more (or less) while one process runs. */
  readonly memory: number
}

/**
 * What becomes of one program. In memory the file itself lies once in the root file system; of a plain one the process maps
 * just that, a packed one unpacks itself into memory of its own, once a process.
 */
export const verdict = ({ plain, packed }: Measured, when: 'smaller' | 'always'): Verdict => {
  const change = packed.inImage - plain.inImage
  const memory = packed.size + plain.memory - plain.size
  if (change < 0) return { isPacked: true, reason: 'the image gets smaller', memory }
  if (when === 'always') return { isPacked: true, reason: 'asked for: when is always', memory }
  return { isPacked: false, reason: 'the image would get larger', memory }
}
