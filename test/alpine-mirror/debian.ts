// Debian's packages, had through the host's own apt.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Blobs, FileTree } from '@zos/core'
import { decompress, readTar, readTarTree } from '@zos/core/format'
import { parseDeb822 } from '../../plugins/debian/dist/control/deb822.js'
import { parseDependency } from '../../plugins/debian/dist/control/dependency.js'
import { readDeb } from '../../plugins/debian/dist/package/deb.js'

/** A package as it was published: its files, and what it needs as lists of alternatives. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly depends: readonly (readonly string[])[]
  readonly provides: readonly string[]
  readonly tree: FileTree
}

const apt = (args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = spawnSync('apt-get', args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** Days that lists of packages are good for. */
const listsLast = 1

/** Lists of packages of the test's own: those of the host may be of other suites, or not be there. */
const listsIn = (folder: string): string[] => {
  const own = [`-oDir::State::lists=${join(folder, 'lists')}`, `-oDir::Cache=${join(folder, 'cache')}`]
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true })
  const stamp = join(folder, 'lists/updated')
  const updated = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (Date.now() - updated < listsLast * 86_400_000) return own
  mkdirSync(join(folder, 'lists/partial'), { recursive: true })
  apt(['update', '--quiet', ...own], folder)
  writeFileSync(stamp, '')
  return own
}

/** Files of these packages and all that they need on an empty system: `name_version_arch.deb`, as apt calls them. */
const closure = (names: readonly string[], folder: string, lists: readonly string[]): string[] => {
  const empty = ['-oDir::State::status=/dev/null', ...lists]
  const uris = apt(['--print-uris', '--yes', '--no-install-recommends', ...empty, 'install', ...names], folder)
  return [...uris.matchAll(/^'[^']*' (\S+\.deb) /gm)].map(([, file]) => file!).sort()
}

/** Downloads what is not in the folder yet; gives the paths of the files. */
export const downloadDebs = (names: readonly string[], leftOut: ReadonlySet<string>, folder: string): string[] => {
  mkdirSync(folder, { recursive: true })
  const lists = listsIn(folder)
  const files = closure(names, folder, lists).filter((file) => !leftOut.has(file.split('_')[0]!))
  const missing = files.filter((file) => !existsSync(join(folder, file)))
  if (missing.length > 0) {
    const wanted = missing
      .map((file) => file.split('_'))
      .map(([name, version = '']) => `${name}=${version.replaceAll('%3a', ':')}`)
    const incoming = join(folder, `incoming-${process.pid}`)
    mkdirSync(incoming, { recursive: true })
    apt(['download', ...lists, ...wanted], incoming)
    for (const file of missing) renameSync(join(incoming, file), join(folder, file))
  }
  return files.map((file) => join(folder, file))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export const readDebian = async (path: string, blobs: Blobs): Promise<DebianPackage> => {
  const file = basename(path)
  const { control, data } = readDeb(readFileSync(path), file)
  let text: Uint8Array = new Uint8Array()
  for await (const { header, content } of readTar(decompress(once(control.bytes), control.compression), { name: file }))
    if (content && header.path.replace(/^\.?\//, '') === 'control') text = await content.bytes()
  const [stanza] = parseDeb822(text, { file })
  const field = (name: string): string => stanza?.fields.get(name) ?? ''
  const relations = (name: string): string[][] =>
    parseDependency(field(name), { subject: `${file}, ${name}` }).map((alternatives) =>
      alternatives.map((one) => one.name),
    )
  const all = await readTarTree(decompress(once(data.bytes), data.compression), blobs, { name: file })
  const records = all.filter(({ path }) => !/^\/usr\/share\/(doc|man|info|locale|lintian|bug)\//.test(path))
  return {
    name: field('Package'),
    version: field('Version'),
    description: field('Description').split('\n')[0]!,
    depends: [...relations('Pre-Depends'), ...relations('Depends')],
    provides: field('Provides')
      .split(',')
      .map((one) => one.trim().split(/[ :(]/)[0]!)
      .filter((one) => one !== ''),
    tree: FileTree.from(records),
  }
}
