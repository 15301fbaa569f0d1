import { ZosError } from '@zos/core'
import { parse } from 'smol-toml'

/** Which branch, tag or revision a manifest asked for; `HEAD` where it said nothing. */
export type GitReference =
  | { readonly kind: 'head' }
  | { readonly kind: 'branch' | 'tag' | 'rev'; readonly name: string }

/** Where a package comes from. */
export type PackageSource =
  /** `url` as cargo writes it: of an index in git, or `sparse+https://…/`. */
  | { readonly kind: 'registry'; readonly url: string; readonly checksum: string }
  | { readonly kind: 'git'; readonly url: string; readonly reference: GitReference; readonly commit: string }

export interface CargoPackage {
  readonly name: string
  readonly version: string
  /** Undefined for the packages of the workspace itself. */
  readonly source?: PackageSource
}

export interface CargoLock {
  readonly version: 3 | 4
  /** In the file's order. */
  readonly packages: readonly CargoPackage[]
}

export const cratesIo = 'https://github.com/rust-lang/crates.io-index'

/** Bytes of a lock file; the largest known ones have some 500 KB. */
const TEXT_LIMIT = 16 * 1024 ** 2
const PACKAGES_LIMIT = 20_000
const DEPENDENCIES_LIMIT = 10_000

const nameForm = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/
const versionForm = /^\d{1,20}\.\d{1,20}\.\d{1,20}(-[0-9A-Za-z.-]{1,100})?(\+[0-9A-Za-z.-]{1,100})?$/
const urlForm = /^[a-z][a-z0-9+.-]*:\/\/[^\s\p{Cc}]{1,2000}$/u

type Fail = (what: string) => ZosError

const failure =
  (file: string): Fail =>
  (what) =>
    new ZosError('CARGO_LOCK', `${file}: ${what}`, { hint: 'make it anew with: cargo generate-lockfile' })

const text = (value: unknown, form: RegExp, what: string, fail: Fail): string => {
  if (typeof value === 'string' && form.test(value)) return value
  throw fail(`${what} is ${shown(value)}`)
}

const shown = (value: unknown): string => {
  const said = typeof value === 'string' ? JSON.stringify(value) : value === undefined ? 'missing' : `a ${typeof value}`
  return said.length > 100 ? `${said.slice(0, 99)}…` : said
}

const table = (value: unknown, what: string, known: readonly string[], fail: Fail): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(`${what} is no table`)
  const odd = Object.keys(value).find((key) => !known.includes(key))
  if (odd !== undefined) throw fail(`${what} has a field ${shown(odd)} that version 3 and 4 do not have`)
  return value as Record<string, unknown>
}

/** Version 4 writes names of branches and tags percent-encoded, version 3 as they are. */
const referenceName = (written: string, version: 3 | 4, what: string, fail: Fail): string => {
  try {
    return text(version === 4 ? decodeURIComponent(written) : written, /^[^\s\p{Cc}]{1,500}$/u, what, fail)
  } catch (cause) {
    if (cause instanceof URIError) throw fail(`${what} is ${shown(written)}`)
    throw cause
  }
}

const gitSource = (written: string, version: 3 | 4, what: string, fail: Fail): PackageSource => {
  const hash = written.lastIndexOf('#')
  const commit = text(hash < 0 ? undefined : written.slice(hash + 1), /^[0-9a-f]{40}$/, `the commit of ${what}`, fail)
  const address = written.slice(0, hash)
  const query = address.indexOf('?')
  const url = text(query < 0 ? address : address.slice(0, query), urlForm, `the address of ${what}`, fail)
  if (query < 0) return { kind: 'git', url, reference: { kind: 'head' }, commit }
  const [, kind, name] = /^(branch|tag|rev)=([^&]+)$/.exec(address.slice(query + 1)) ?? []
  if (kind === undefined || name === undefined) throw fail(`the source of ${what} is ${shown(written)}`)
  const reference = { kind: kind as 'branch' | 'tag' | 'rev', name: referenceName(name, version, what, fail) }
  return { kind: 'git', url, reference, commit }
}

const sourceOf = (value: unknown, checksum: unknown, version: 3 | 4, what: string, fail: Fail): PackageSource => {
  const written = text(value, /^(registry|sparse|git)\+[^\s\p{Cc}]{1,2500}$/u, `the source of ${what}`, fail)
  if (written.startsWith('git+')) {
    if (checksum !== undefined) throw fail(`${what} is from git and has a checksum`)
    return gitSource(written.slice('git+'.length), version, what, fail)
  }
  const url = written.startsWith('registry+') ? written.slice('registry+'.length) : written
  text(url.replace(/^sparse\+/, ''), urlForm, `the registry of ${what}`, fail)
  return { kind: 'registry', url, checksum: text(checksum, /^[0-9a-f]{64}$/, `the checksum of ${what}`, fail) }
}

const packageOf = (value: unknown, version: 3 | 4, index: number, fail: Fail): CargoPackage => {
  const fields = ['name', 'version', 'source', 'checksum', 'dependencies', 'replace']
  const entry = table(value, `package ${index + 1}`, fields, fail)
  const name = text(entry.name, nameForm, `the name of package ${index + 1}`, fail)
  const what = `${name} ${text(entry.version, versionForm, `the version of ${name}`, fail)}`
  const { dependencies = [] } = entry
  if (!Array.isArray(dependencies) || dependencies.length > DEPENDENCIES_LIMIT) {
    throw fail(`the dependencies of ${what} are no list of at most ${DEPENDENCIES_LIMIT}`)
  }
  for (const one of dependencies) text(one, /^[^\p{Cc}]{1,3000}$/u, `a dependency of ${what}`, fail)
  const plain = { name, version: entry.version as string }
  if (entry.source !== undefined) {
    return { ...plain, source: sourceOf(entry.source, entry.checksum, version, what, fail) }
  }
  if (entry.checksum !== undefined) throw fail(`${what} has a checksum and no source`)
  return plain
}

/** Identifies a package among all of a lock file. */
const keyOf = ({ name, version, source }: CargoPackage): string =>
  `${name} ${version} ${source ? `${source.url} ${source.kind === 'git' ? source.commit : ''}` : ''}`

/**
 * Reads a Cargo.lock of version 3 or 4. Format: cargo's `EncodableResolve`, and for sources its `SourceId` URLs. Throws
 * `CARGO_LOCK` naming `file` for everything that cargo does not write, a registry package without checksum included.
 */
export const parseCargoLock = (content: string, file: string): CargoLock => {
  const fail = failure(file)
  if (content.length > TEXT_LIMIT) throw fail(`${content.length} characters; the limit is ${TEXT_LIMIT}`)
  let parsed: unknown
  try {
    parsed = parse(content)
  } catch (cause) {
    throw fail(`no TOML: ${(cause as Error).message.split('\n')[0]}`)
  }
  const top = table(parsed, 'the file', ['version', 'package', 'patch', 'metadata', 'root'], fail)
  const { version } = top
  if (version !== 3 && version !== 4) {
    const found = version === undefined ? 'no version, as before Rust 1.53' : `version ${String(version).slice(0, 20)}`
    throw fail(`${found}; expected 3 or 4`)
  }
  const entries = top.package ?? []
  if (!Array.isArray(entries) || entries.length > PACKAGES_LIMIT) {
    throw fail(`the packages are no list of at most ${PACKAGES_LIMIT}`)
  }
  const packages = entries.map((entry, index) => packageOf(entry, version, index, fail))
  const seen = new Set<string>()
  for (const one of packages) {
    if (seen.has(keyOf(one))) throw fail(`${one.name} ${one.version} is in it twice`)
    seen.add(keyOf(one))
  }
  return { version, packages }
}

/** Folder of a package in a directory source made with versioned names. */
export const packageFolder = ({ name, version }: CargoPackage): string => `${name}-${version}`
