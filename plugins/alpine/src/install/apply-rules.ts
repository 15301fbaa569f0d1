import { type BlobReader, DeltaBuilder, type FileEntry, type FileTree, ZosError } from '@zos/core'
import { type AccountFiles, type Accounts, addAccounts, idsByName, minimalFiles } from './accounts.js'
import type { Applets } from './applet-links.js'
import type { UnpackedPackage } from './facts.js'
import { type Rule, rules } from './rules.js'
import { accountsIn, installScripts, mayMatter } from './scripts.js'

/** What stands for the scripts of all packages. */
export interface Applied {
  readonly delta: DeltaBuilder
  readonly applets: readonly Applets[]
  /** Scripts that may matter and that no rule stands for. */
  readonly unruled: readonly { readonly name: string; readonly scripts: readonly string[] }[]
  /** The packages with the owners that the image's own ids give. */
  readonly owned: readonly UnpackedPackage[]
}

/** Ids of the image by name. */
interface Ids {
  uid(name: string): number
  gid(name: string): number
}

/** A package's files are owned by names; their numbers in the archive are those of the machine that made it. */
const withOwners = (one: UnpackedPackage, ids: Ids): UnpackedPackage => {
  const owners = Object.entries(one.facts.owners)
  if (owners.length === 0) return one
  const delta = new DeltaBuilder()
  for (const [path, [user, group]] of owners)
    delta.set(path, { uid: user === '' ? 0 : ids.uid(user), gid: group === '' ? 0 : ids.gid(group) })
  return { ...one, tree: one.tree.apply(delta.build(), { plugin: one.name }) }
}

/** Scripts of a package that may do something beside adding accounts. */
export const scriptsThatMatter = ({ facts: { scripts } }: UnpackedPackage): string[] =>
  installScripts.filter((script) => scripts[script] !== undefined && mayMatter(scripts[script]))

/** Changes to the tree of all packages that stand for their scripts. Text is read from `blobs`. */
export const applyRules = async (
  tree: FileTree,
  packages: readonly UnpackedPackage[],
  blobs: BlobReader,
): Promise<Applied> => {
  const image = new Image(tree, blobs)
  const ruled = packages.flatMap(({ name }) => (rules[name] ? [{ name, rule: rules[name] }] : []))
  const files = await applyAccounts(
    image,
    packages,
    ruled.map(({ rule }) => rule),
  )
  const applets: Applets[] = []
  for (const { name, rule } of ruled) {
    for (const [path, { mode, user = 'root', group = 'root' }] of Object.entries(rule.folders ?? {}))
      if (!tree.get(path))
        image.delta.directory(path, { mode, uid: files.uid(user), gid: files.gid(group), package: name })
    for (const [path, { user, group }] of Object.entries(rule.owners ?? {}))
      if (tree.get(path)) image.delta.set(path, { uid: files.uid(user), gid: files.gid(group) })
    for (const [path, target] of Object.entries(rule.links ?? {})) image.link(path, target, name)
    for (const [path, wanted] of Object.entries(rule.lines ?? {})) await image.addLines(path, wanted)
    if (rule.certificates) await applyCertificates(image, name, rule.certificates)
    if (rule.applets) applets.push(await appletsOf(image, name, rule.applets))
  }
  const owned = packages.map((one) => withOwners(one, files))
  for (const { name, facts, tree: own } of owned)
    for (const path of Object.keys(facts.owners)) {
      const entry = own.get(path)
      if (entry && tree.get(path)?.origin?.package === name) image.delta.set(path, { uid: entry.uid, gid: entry.gid })
    }
  const unruled = packages
    .filter(({ name }) => !rules[name])
    .map((one) => ({ name: one.name, scripts: scriptsThatMatter(one) }))
    .filter(({ scripts }) => scripts.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return { delta: image.delta, applets, unruled, owned }
}

/** The tree with what the rules have put so far. */
class Image {
  readonly tree: FileTree
  readonly delta = new DeltaBuilder()
  readonly #blobs: BlobReader
  readonly #put = new Set<string>()
  readonly #texts = new Map<string, string>()

  constructor(tree: FileTree, blobs: BlobReader) {
    this.tree = tree
    this.#blobs = blobs
  }

  file(path: string): FileEntry | undefined {
    const real = this.tree.resolve(path)
    const entry = real === undefined ? undefined : this.tree.get(real)
    return entry?.kind === 'file' ? entry : undefined
  }

  async text(path: string): Promise<string | undefined> {
    const known = this.#texts.get(path)
    const file = this.file(path)
    return known ?? (file && Buffer.from(await this.#blobs.read(file.blob)).toString('utf8'))
  }

  /** Puts a file's text, or changes it with its owner and mode. */
  write(path: string, text: string, mode = 0o644): void {
    if (this.tree.get(path)) this.delta.replace(path, text)
    else this.delta.file(path, text, { mode })
    this.#texts.set(path, text)
  }

  link(path: string, target: string, name: string): void {
    if (this.tree.get(path) || this.#put.has(path)) return
    this.delta.symlink(path, target, { package: name })
    this.#put.add(path)
  }

  async addLines(path: string, wanted: readonly string[]): Promise<void> {
    const text = (await this.text(path)) ?? ''
    const there = text.split('\n')
    const missing = wanted.filter((line) => !there.includes(line))
    if (missing.length > 0)
      this.write(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`)
  }
}

const nobody = 65534

const applyAccounts = async (
  image: Image,
  packages: readonly UnpackedPackage[],
  ruled: readonly Rule[],
): Promise<Ids> => {
  const read = packages.flatMap(({ facts: { scripts } }) =>
    installScripts.map((name) => accountsIn(scripts[name] ?? '')),
  )
  const all = [...ruled.flatMap(({ accounts }) => accounts ?? []), ...read]
  const wanted: Accounts = { users: all.flatMap(({ users }) => users), groups: all.flatMap(({ groups }) => groups) }
  const before: AccountFiles = {
    passwd: (await image.text('/etc/passwd')) ?? minimalFiles.passwd,
    group: (await image.text('/etc/group')) ?? minimalFiles.group,
    shadow: (await image.text('/etc/shadow')) ?? minimalFiles.shadow,
  }
  const after = addAccounts(before, wanted)
  for (const name of ['passwd', 'group', 'shadow'] as const)
    if (after[name] !== before[name] || !image.file(`/etc/${name}`))
      image.write(`/etc/${name}`, after[name], name === 'shadow' ? 0o640 : 0o644)
  const [uids, gids] = [idsByName(after.passwd), idsByName(after.group)]
  return { uid: (name: string) => uids.get(name) ?? nobody, gid: (name: string) => gids.get(name) ?? nobody }
}

/** As update-ca-certificates: a link for each certificate of the list, and all of them in one file. */
const applyCertificates = async (
  image: Image,
  name: string,
  { list, from, to, bundle }: NonNullable<Rule['certificates']>,
): Promise<void> => {
  let text = ''
  for (const line of ((await image.text(list)) ?? '').split('\n').sort()) {
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#') || entry.startsWith('!')) continue
    const path = `${from}/${entry}`
    const certificate = await image.text(path)
    if (certificate === undefined) continue
    text += certificate.endsWith('\n') ? certificate : `${certificate}\n`
    const base = entry
      .slice(entry.lastIndexOf('/') + 1)
      .replace(/\.crt$/, '')
      .replaceAll(' ', '_')
    image.link(`${to}/ca-cert-${base}.pem`, path, name)
  }
  if (text === '')
    throw new ZosError('ALPINE_RULE', `${name} brings no certificates of ${list} below ${from}`, { subject: name })
  image.write(bundle, text)
}

const appletsOf = async (
  image: Image,
  name: string,
  { lists, binary }: NonNullable<Rule['applets']>,
): Promise<Applets> => {
  const text = await image.text(lists)
  if (text === undefined)
    throw new ZosError('ALPINE_RULE', `${name} brings no list of its programs at ${lists}`, { subject: name })
  const paths = text.split('\n').flatMap((line) => {
    const path = line.trim().replace(/^\//, '')
    return path !== '' && !path.split('/').includes('..') && path !== binary.slice(1) ? [`/${path}`] : []
  })
  return { binary, paths }
}
