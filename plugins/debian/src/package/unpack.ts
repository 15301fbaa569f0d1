import { createHash } from 'node:crypto'
import { type Artifact, type Blobs, FileTree, type Json, type TreeRecord, ZosError } from '@zos/core'
import { decompress, readTar, readTarTree } from '@zos/core/format'
import { parseDeb822 } from '../control/deb822.js'
import { type Alternative, alternativesIn } from './alternatives.js'
import { type DebMember, readDeb } from './deb.js'
import { isDocumentation } from './leave-out.js'
import { mergeUsr } from './merge-usr.js'
import { installScripts, mayMatter } from './scripts.js'

/** What is known of an unpacked package beside its tree; kept with it in the store. */
export type PackageFacts = {
  /** Fields of the control file, in its order. */
  readonly control: readonly (readonly [string, string])[]
  /** Paths as the archive has them, without what was left out. */
  readonly paths: readonly string[]
  readonly conffiles: readonly string[]
  /** MD5 by path, 32 hex digits, as dpkg keeps them. */
  readonly md5: Readonly<Record<string, string>>
  /** Installation scripts that may do something an image needs. */
  readonly scripts: readonly string[]
  /** Links that its scripts would register. */
  readonly alternatives: readonly Alternative[]
}

export interface UnpackOptions {
  /** Package name, for errors and as the owner of its files. */
  readonly name: string
  readonly plugin: string
  readonly documentation: boolean
}

const limits = { deb: 2 * 1024 * 1024 * 1024, control: 64 * 1024 * 1024, controlFile: 16 * 1024 * 1024 }

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/**
 * Takes a package apart: its files as a tree with a merged /usr, its control data as facts. Nothing is run.
 * Throws `DEBIAN_DEB`, `DEBIAN_CONTROL`, `DEBIAN_MERGED_USR` and what the tar reader and decompression throw.
 */
export const unpackDeb = async (bytes: Uint8Array, options: UnpackOptions, blobs: Blobs): Promise<Artifact> => {
  const { name, plugin, documentation } = options
  if (bytes.length > limits.deb)
    throw new ZosError('DEBIAN_DEB', `${name}: the package is larger than ${limits.deb} bytes`, { subject: name })
  const { control, data } = readDeb(bytes, name)
  const members = await controlMembers(control, name)
  const fields = controlFields(members.get('control'), name)
  const source = fields.find(([field]) => field.toLowerCase() === 'source')?.[1].split(' ')[0] ?? name
  const archive = decompress(once(data.bytes), data.compression, { name: `${name}, data` })
  const all = await readTarTree(archive, blobs, {
    name: `${name}, data`,
    // Debian Policy 10.6: packages have no device files.
    devices: 'refuse',
    origin: { plugin, package: name, source },
  })
  const records = documentation ? all : withoutDocumentation(all)
  const conffiles = conffilesOf(members.get('conffiles'))
  const facts: PackageFacts = {
    control: fields,
    paths: records.map(({ path }) => path),
    conffiles: conffiles.filter((path) => records.some((record) => record.kind === 'file' && record.path === path)),
    md5: {
      ...md5sumsOf(members.get('md5sums'), records, name),
      ...(await md5OfFiles(members.has('md5sums') ? conffiles : undefined, records, blobs)),
    },
    scripts: installScripts.filter((script) => mayMatter(scriptText(members, script))),
    alternatives: alternativesIn(scriptText(members, 'postinst')),
  }
  return { trees: { tree: FileTree.from(mergeUsr(records, name)) }, facts: facts as Record<string, Json> }
}

const scriptText = (members: ReadonlyMap<string, Uint8Array>, name: string): string =>
  Buffer.from(members.get(name) ?? new Uint8Array()).toString('latin1')

const controlMembers = async (member: DebMember, name: string): Promise<Map<string, Uint8Array>> => {
  const label = `${name}, control`
  const chunks = decompress(once(member.bytes), member.compression, { name: label, outputBytes: limits.control })
  const members = new Map<string, Uint8Array>()
  for await (const { header, content } of readTar(chunks, { name: label, limits: { fileBytes: limits.controlFile } }))
    if (content) members.set(header.path.replace(/^\.\//, ''), await content.bytes())
  return members
}

const controlFields = (text: Uint8Array | undefined, name: string): [string, string][] => {
  const [stanza, second] = parseDeb822(text ?? new Uint8Array(), { file: `${name}, control` })
  const said = stanza?.fields.get('Package')
  if (!stanza || second || said !== name)
    throw new ZosError('DEBIAN_DEB', `the package that should be ${name} says it is ${said ?? 'nothing'}`, {
      subject: name,
    })
  return [...stanza.fields]
}

const textLines = (bytes: Uint8Array | undefined): string[] =>
  Buffer.from(bytes ?? new Uint8Array())
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')

/** deb-conffiles(5): a line may begin with a flag; files to be removed are not in the package. */
const conffilesOf = (bytes: Uint8Array | undefined): string[] =>
  textLines(bytes)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/'))

/** deb-md5sums(5), for the files that are kept. */
const md5sumsOf = (
  bytes: Uint8Array | undefined,
  records: readonly TreeRecord[],
  name: string,
): Record<string, string> => {
  const kept = new Set(records.map(({ path }) => path))
  const sums: Record<string, string> = {}
  for (const line of textLines(bytes)) {
    const match = /^([0-9a-f]{32}) [ *](.+)$/.exec(line)
    if (!match) throw new ZosError('DEBIAN_DEB', `${name}: '${line.slice(0, 80)}' in md5sums is no 'digest path'`)
    const path = `/${match[2]!.replace(/^\.?\//, '')}`
    if (kept.has(path)) sums[path] = match[1]!
  }
  return sums
}

/** dpkg computes what a package does not state: `paths`, or all files. */
const md5OfFiles = async (
  paths: readonly string[] | undefined,
  records: readonly TreeRecord[],
  blobs: Blobs,
): Promise<Record<string, string>> => {
  const sums: Record<string, string> = {}
  for (const record of records)
    if (record.kind === 'file' && (paths === undefined || paths.includes(record.path)))
      sums[record.path] = createHash('md5')
        .update(await blobs.read(record.blob))
        .digest('hex')
  return sums
}

/** Folders that hold nothing but documentation go with it. */
const withoutDocumentation = (records: readonly TreeRecord[]): TreeRecord[] => {
  const kept = records.filter(({ kind, path }) => kind === 'directory' || !isDocumentation(path))
  const needed = new Set<string>()
  for (const { kind, path } of kept) {
    if (kind === 'directory') continue
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) needed.add(path.slice(0, at))
  }
  return kept.filter(({ kind, path }) => kind !== 'directory' || needed.has(path) || !isDocumentation(`${path}/`))
}
