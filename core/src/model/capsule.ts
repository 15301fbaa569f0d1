// One action as a small file: enough to land in its sandbox again, here or where the same store can be reached.
import { ExitCode, ZosError } from '../error.js'
import type { Blob } from './entry.js'
import type { HostToolchainSpec } from './toolchain.js'

export interface Capsule {
  readonly version: 1
  readonly config: string
  readonly step: string
  /** Name of the action within the step. */
  readonly name: string
  /** Key of the action: its digest in `manifest.json`. */
  readonly key: string
  readonly executor: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly outputs: readonly string[]
  /** The tree of all inputs: its Merkle digest, and the content in the store that lists every file by digest. */
  readonly input: { readonly digest: string; readonly blob: Blob; readonly count: number }
  readonly toolchain: {
    readonly identity: string
    readonly title: string
    readonly folders: Readonly<Record<string, string>>
    readonly spec: HostToolchainSpec
    /** The tree that is the root file system; the host's own programs where there is none. */
    readonly root?: { readonly digest: string; readonly blob: Blob }
  }
  /** How it failed, and the end of its log; left out where it did not. */
  readonly failure?: { readonly message: string; readonly log: string }
}

/** Bytes of a capsule file. */
export const largestCapsule = 4 << 20
/** Characters of the log that a capsule keeps, from its end. */
export const logLimit = 64 * 1024

const refuse = (file: string, what: string, cause?: unknown): never => {
  throw new ZosError('CAPSULE_INVALID', `${file}: ${what}`, {
    hint: 'a capsule is the file that the error of a failed command names',
    exit: ExitCode.usage,
    cause,
  })
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' && !one.includes('\0'))

const isTable = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([key, one]) => /^[^\0=]+$/.test(key) && typeof one === 'string' && !one.includes('\0'))

const isInside = (path: unknown): boolean =>
  typeof path === 'string' && !path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '.')

const isDigest = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** Parses a capsule, which may come from another machine; `file` is for errors. Anything else is `CAPSULE_INVALID`. */
export const parseCapsule = (text: string, file: string): Capsule => {
  let data: Partial<Capsule> | null
  try {
    data = JSON.parse(text)
  } catch (cause) {
    return refuse(file, `is not JSON: ${(cause as Error).message}`, cause)
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return refuse(file, 'expected an object')
  if (data.version !== 1) return refuse(file, `has version ${JSON.stringify(data.version)}; this zos reads 1`)
  const { config, step, name, key, executor, command, env, cwd, outputs, input, toolchain, failure } = data
  if (![config, step, name, executor].every((one) => typeof one === 'string'))
    refuse(file, 'config, step, name, executor: expected texts')
  if (!isDigest(key)) refuse(file, 'key: expected a SHA-256')
  if (!isTexts(command) || command.length === 0) refuse(file, 'command: expected a list of texts')
  if (!isTable(env)) refuse(file, 'env: expected texts by name')
  if (!isInside(cwd)) refuse(file, 'cwd: expected a path below the working folder')
  if (!isTexts(outputs)) refuse(file, 'outputs: expected a list of paths')
  const { digest, blob, count } = input ?? {}
  if (!isDigest(digest) || !isDigest(blob?.sha256) || !Number.isSafeInteger(blob?.size) || !Number.isSafeInteger(count))
    refuse(file, 'input: expected the digests of a tree')
  if (
    !isDigest(toolchain?.identity) ||
    typeof toolchain?.title !== 'string' ||
    !isTable(toolchain.folders) ||
    !isTexts(toolchain.spec?.tools)
  )
    refuse(file, 'toolchain: expected its identity, title, folders and tools')
  const root = toolchain?.root
  if (
    root !== undefined &&
    !(isDigest(root?.digest) && isDigest(root.blob?.sha256) && Number.isSafeInteger(root.blob.size))
  )
    refuse(file, 'toolchain.root: expected the digests of a tree')
  if (failure !== undefined && (typeof failure?.message !== 'string' || typeof failure?.log !== 'string'))
    refuse(file, 'failure: expected message and log')
  return data as Capsule
}

/** A word as a shell reads it back. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

export const commandLine = (command: readonly string[]): string => command.map(quoted).join(' ')
