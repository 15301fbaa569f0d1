import { type BlobReader, DeltaBuilder, type FileEntry, type FileTree, ZosError } from '@zos/core'
import { type Accounts, accountFiles, joinAccounts, minimalAccounts, parseAccounts } from './accounts.js'
import type { Alternative } from './alternatives.js'
import type { Rule } from './rules.js'

/** What stands for the scripts of a package. */
export interface AppliedRule {
  readonly name: string
  readonly rule: Rule
  readonly alternatives: readonly Alternative[]
}

const hosts =
  '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n'

/** os-release(5), as far as it follows from the release's code name; base-files brings a longer one. */
const osRelease = (release: string): string =>
  `PRETTY_NAME="Debian GNU/Linux (${release})"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=${release}\nID=debian\n`

/** What every image has, whether base-files is installed or not; with the attributes that base-files gives. */
const folders: Readonly<Record<string, number>> = {
  '/dev': 0o755,
  '/etc': 0o755,
  '/home': 0o755,
  '/proc': 0o755,
  '/root': 0o700,
  '/run': 0o755,
  '/sys': 0o755,
  '/tmp': 0o1777,
  '/var/cache': 0o755,
  '/var/lib': 0o755,
  '/var/log': 0o755,
  '/var/tmp': 0o1777,
}

/** Changes to the tree of all packages that stand for their scripts. Text is read from `blobs`. */
export const applyRules = async (
  tree: FileTree,
  applied: readonly AppliedRule[],
  release: string,
  blobs: BlobReader,
): Promise<DeltaBuilder> => {
  const image = new Image(tree, blobs)
  for (const [path, mode] of Object.entries(folders)) image.delta.directory(path, { mode })
  for (const { name, rule } of applied) await applyOne(image, name, rule)
  applyAlternatives(image, applied)
  await applyAccounts(image, applied)
  image.text('/etc/hosts', hosts)
  image.text('/usr/lib/os-release', osRelease(release))
  image.link('/etc/os-release', '../usr/lib/os-release')
  image.text(
    '/etc/shells',
    ['/bin/sh', ...shells.filter((path) => image.has(path))].map((path) => `${path}\n`).join(''),
  )
  return image.delta
}

/** Beside `/bin/sh`, which every image has, if only as a link to busybox that is made last. */
const shells = ['/bin/bash', '/bin/dash']

/** The tree with what the rules have put so far. */
class Image {
  readonly tree: FileTree
  readonly delta = new DeltaBuilder()
  readonly #blobs: BlobReader
  readonly #put = new Set<string>()

  constructor(tree: FileTree, blobs: BlobReader) {
    this.tree = tree
    this.#blobs = blobs
  }

  has(path: string): boolean {
    return this.#put.has(path) || this.tree.get(path) !== undefined
  }

  file(path: string): FileEntry | undefined {
    const real = this.tree.resolve(path)
    const entry = real === undefined ? undefined : this.tree.get(real)
    return entry?.kind === 'file' ? entry : undefined
  }

  async read(path: string): Promise<string | undefined> {
    const file = this.file(path)
    return file && Buffer.from(await this.#blobs.read(file.blob)).toString('utf8')
  }

  text(
    path: string,
    content: string,
    attributes: { readonly mode?: number; readonly gid?: number; readonly package?: string } = {},
  ): void {
    if (this.has(path)) return
    this.delta.file(path, content, attributes)
    this.#put.add(path)
  }

  copy(path: string, from: string, name: string): void {
    const file = this.file(from)
    if (!file || this.has(path)) return
    this.delta.file(path, file.blob, { mode: file.mode, package: name })
    this.#put.add(path)
  }

  /** A folder with nothing in it gives way: packages bring some that their scripts turn into links. */
  link(path: string, target: string, name?: string): void {
    const isEmptyFolder = this.tree.get(path)?.kind === 'directory' && this.tree.list(path).length === 0
    if (isEmptyFolder) this.delta.remove(path)
    else if (this.has(path)) return
    this.delta.symlink(path, target, name === undefined ? {} : { package: name })
    this.#put.add(path)
  }
}

const applyOne = async (image: Image, name: string, rule: Rule): Promise<void> => {
  for (const [path, attributes] of Object.entries(rule.folders ?? {}))
    if (!image.has(path)) image.delta.directory(path, { ...attributes, package: name })
  for (const [path, attributes] of Object.entries(rule.attributes ?? {}))
    if (image.has(path)) image.delta.set(path, attributes)
  for (const [path, from] of Object.entries(rule.copies ?? {})) image.copy(path, from, name)
  for (const [path, text] of Object.entries(rule.texts ?? {})) image.text(path, text, { package: name })
  for (const [path, target] of Object.entries(rule.links ?? {})) image.link(path, target, name)
  if (rule.bundle) await applyBundle(image, name, rule.bundle)
  if (rule.loader) await applyLoader(image, name)
}

/** update-ca-certificates puts the certificates one after the other, by the order of their paths. */
const applyBundle = async (image: Image, name: string, { from, to }: NonNullable<Rule['bundle']>): Promise<void> => {
  let bundle = ''
  for (const { path } of image.tree.glob(`${from}/**`)) {
    if (!path.endsWith('.crt')) continue
    const text = await image.read(path)
    if (text !== undefined) bundle += text.endsWith('\n') ? text : `${text}\n`
  }
  if (bundle === '')
    throw new ZosError('DEBIAN_RULE', `${name} brings no certificates below ${from}`, { subject: name })
  image.text(to, bundle, { package: name })
}

/** Folders that Debian's loader searches by itself. */
const loaderFolders = /^(\/usr)?\/lib(\/[a-z0-9_]+-linux-gnu)?$/

/** ldconfig's cache would name the libraries of these folders; links stand for it. */
const applyLoader = async (image: Image, name: string): Promise<void> => {
  const own = image.tree.list('/usr/lib').find((part) => loaderFolders.test(`/usr/lib/${part}`))
  for (const { path } of image.tree.glob('/etc/ld.so.conf.d/*.conf'))
    for (const line of ((await image.read(path)) ?? '').split('\n')) {
      const folder = line.trim().replace(/\/+$/, '')
      const real = /^\/[^*?#\s]+$/.test(folder) && !loaderFolders.test(folder) ? image.tree.resolve(folder) : undefined
      if (own === undefined || real === undefined) continue
      for (const library of image.tree.list(real))
        if (/\.so(\.|$)/.test(library)) image.link(`/usr/lib/${own}/${library}`, `${folder}/${library}`, name)
    }
}

const applyAlternatives = (image: Image, applied: readonly AppliedRule[]): void => {
  const best = new Map<string, { readonly target: string; readonly priority: number; readonly name: string }>()
  for (const { name, alternatives } of applied)
    for (const { link, target, priority } of alternatives) {
      const other = best.get(link)
      if (image.has(target) && (!other || priority > other.priority)) best.set(link, { target, priority, name })
    }
  for (const [link, { target, name }] of [...best].sort(([a], [b]) => (a < b ? -1 : 1))) image.link(link, target, name)
}

const applyAccounts = async (image: Image, applied: readonly AppliedRule[]): Promise<void> => {
  const [passwd, group] = [
    await image.read('/usr/share/base-passwd/passwd.master'),
    await image.read('/usr/share/base-passwd/group.master'),
  ]
  const base: Accounts = passwd !== undefined && group !== undefined ? parseAccounts(passwd, group) : minimalAccounts
  const added = applied.map(({ rule }): Accounts => ({ users: rule.users ?? [], groups: rule.groups ?? [] }))
  const files = accountFiles(joinAccounts(base, ...added), (shell) =>
    image.tree.resolve(shell) === undefined ? '/bin/sh' : shell,
  )
  image.text('/etc/passwd', files.passwd)
  image.text('/etc/group', files.group)
  // Group 42 is shadow on every Debian: programs that check passwords read these without being root.
  image.text('/etc/shadow', files.shadow, { mode: 0o640, gid: 42 })
  image.text('/etc/gshadow', files.gshadow, { mode: 0o640, gid: 42 })
}
