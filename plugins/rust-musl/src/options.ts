import * as v from 'valibot'

/** How cargo builds a component, and what of it goes into the image. */
export interface CargoOptions {
  /** Features to turn on. */
  readonly features?: readonly string[]
  /** `false` turns the crate's default features off. */
  readonly defaultFeatures?: boolean
  /** Profile of cargo; `release` where nothing else is said. */
  readonly profile?: string
  /** The package of a workspace; needed where several have a program of the same name. */
  readonly package?: string
  /**
   * Patches of the project, unified diffs with one leading folder (`a/src/main.rs`), applied in this order. They may
   * not change what the crate depends on.
   */
  readonly patches?: readonly string[]
  /** Environment of build scripts. Files of `files` lie in `/build/files`: `file:///build/files/ui.zip`. */
  readonly env?: Readonly<Record<string, string>>
  /** Further downloads for build scripts, which have no network: by file name. */
  readonly files?: Readonly<Record<string, { readonly url: string; readonly sha256?: string }>>
  /** Programs of the build machine that build scripts call, such as `make` and `perl`. */
  readonly tools?: readonly string[]
  /** Where programs go: `{ zinit: '/sbin/zinit' }`. The program named as the component, into `/usr/bin`, where nothing is said. */
  readonly install?: Readonly<Record<string, string>>
  /** Programs that not every version of the sources has, and where they go if it does. */
  readonly optionalInstall?: Readonly<Record<string, string>>
}

export interface CrateComponent extends CargoOptions {
  readonly from: 'crate'
  readonly crate: string
  /** Exact version. */
  readonly version: string
}

export interface GitOptions extends CargoOptions {
  /** Branch, tag or full commit. A branch moves only by `zos update`. */
  readonly ref: string
  /** Folder of the crate in the repository. */
  readonly subdir?: string
}

export interface GitComponent extends GitOptions {
  readonly from: 'git'
  readonly url: string
}

export interface PathOptions extends CargoOptions {
  /** Folder of the crate below the path, where the path is that of a workspace. */
  readonly subdir?: string
}

export interface PathComponent extends PathOptions {
  readonly from: 'path'
  readonly path: string
}

export interface ReleaseOptions {
  /** SHA-256 of the file; without it the lock pins what the first download finds. */
  readonly sha256?: string
  /** Name in `/usr/bin`; the last part of the URL where nothing is said. */
  readonly rename?: string
  /** Where it goes, in place of `/usr/bin`: `/sbin/corex`. */
  readonly install?: string
}

export interface ReleaseComponent extends ReleaseOptions {
  readonly from: 'release'
  readonly url: string
}

export type CargoComponent = CrateComponent | GitComponent | PathComponent
export type RustComponent = CargoComponent | ReleaseComponent

/** Components by name. The name is that of the program, unless `install` says more. */
export type RustMuslOptions = Readonly<Record<string, RustComponent>>

/** A crate of the registry that the user's own cargo is set up for: `crate('zinit', '0.3.9')`. */
export const crate = (name: string, version: string, options: CargoOptions = {}): CrateComponent => ({
  ...options,
  from: 'crate',
  crate: name,
  version,
})

/** A crate in a git repository: `git('https://…/zinit', { ref: 'master' })`. */
export const git = (url: string, options: GitOptions): GitComponent => ({ ...options, from: 'git', url })

/** A crate of the project itself; a change in it is built at once. */
export const path = (folder: string, options: PathOptions = {}): PathComponent => ({
  ...options,
  from: 'path',
  path: folder,
})

/** A static program that somebody else built; its ELF header is checked as of one built here. */
export const release = (url: string, options: ReleaseOptions = {}): ReleaseComponent => ({
  ...options,
  from: 'release',
  url,
})

const word = (form: RegExp, expected: string) => v.pipe(v.string(), v.regex(form, `expected ${expected}`))

const fileName = word(/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}$/, 'a file name of letters, digits, dots and dashes')
const crateName = word(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, 'the name of a crate')
const feature = word(/^[A-Za-z0-9_][A-Za-z0-9_+./?-]{0,99}$/, 'the name of a feature')
const sha256 = word(/^[0-9a-f]{64}$/, '64 hex digits')
const httpUrl = word(/^https?:\/\/[^\s\p{Cc}]{1,2000}$/u, 'an http(s) address')
const gitUrl = word(/^[^\s\p{Cc}-][^\s\p{Cc}]{1,2000}$/u, 'the address of a git repository')
const ref = word(/^[^\s\p{Cc}~^:?*[\\-][^\s\p{Cc}~^:?*[\\]{0,250}$/u, 'a branch, a tag or a full commit')
const version = word(/^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]{1,100})?$/, 'an exact version, such as 0.3.9')
const inside = v.pipe(
  word(/^[^/\\\p{Cc}][^\\\p{Cc}]{0,500}$/u, 'a path below the project or repository'),
  v.check((text) => !text.split('/').some((part) => part === '..' || part === ''), 'expected a path without .. and //'),
)
const projectFolder = v.pipe(
  inside,
  v.check((text) => !/^[./]*$/.test(text), 'expected a folder below the project'),
)
const place = v.pipe(
  word(/^\/[^\\\p{Cc}]{1,500}$/u, 'an absolute path in the image'),
  v.check(
    (text) =>
      !text
        .slice(1)
        .split('/')
        .some((part) => ['', '.', '..'].includes(part)),
    'expected a path in normal form',
  ),
)
const variable = v.pipe(
  word(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'the name of an environment variable'),
  v.check((name) => !/RUSTFLAGS$/.test(name), 'flags of rustc belong into the .cargo/config.toml of the crate'),
)

const cargo = {
  features: v.exactOptional(v.array(feature)),
  defaultFeatures: v.exactOptional(v.boolean()),
  profile: v.exactOptional(word(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, 'the name of a profile')),
  package: v.exactOptional(crateName),
  patches: v.exactOptional(v.array(inside)),
  env: v.exactOptional(v.record(variable, v.string())),
  files: v.exactOptional(v.record(fileName, v.strictObject({ url: httpUrl, sha256: v.exactOptional(sha256) }))),
  tools: v.exactOptional(v.array(fileName)),
  install: v.exactOptional(v.pipe(v.record(fileName, place), v.minEntries(1, 'expected at least one program'))),
  optionalInstall: v.exactOptional(v.record(fileName, place)),
}

const component = v.variant('from', [
  v.strictObject({ from: v.literal('crate'), crate: crateName, version, ...cargo }),
  v.strictObject({ from: v.literal('git'), url: gitUrl, ref, subdir: v.exactOptional(inside), ...cargo }),
  v.strictObject({ from: v.literal('path'), path: projectFolder, subdir: v.exactOptional(inside), ...cargo }),
  v.strictObject({
    from: v.literal('release'),
    url: httpUrl,
    sha256: v.exactOptional(sha256),
    rename: v.exactOptional(fileName),
    install: v.exactOptional(place),
  }),
])

export const rustMuslOptions: v.GenericSchema<RustMuslOptions> = v.record(fileName, component)
