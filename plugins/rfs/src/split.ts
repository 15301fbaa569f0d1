// The split report: what is in the initramfs, what only behind a flist, what nowhere.
import { type FileTree, type PackContext, type Packed, type Ref, ZosError } from '@zos/core'
import { isFile } from './flist.js'
import { readFlist } from './flist-read.js'
import type { FlistName } from './image.js'
import { flistNames } from './image.js'
import type { RfsOptions } from './options.js'
import { flistSlot } from './pack-tree.js'

/** Paths of one kind by where they are, sorted. */
interface Split {
  readonly title: string
  readonly image: readonly string[]
  readonly both: readonly string[]
  readonly flist: readonly string[]
  readonly nowhere: readonly string[]
}

const isModule = (path: string): boolean => /\.ko(\.(xz|zst|gz))?$/.test(path)

const filesOf = (tree: FileTree): string[] =>
  [...tree.records()].filter(({ kind }) => kind !== 'directory').map(({ path }) => path.slice(1))

const splitOf = (title: string, wanted: Iterable<string>, image: Iterable<string>, flist: Iterable<string>): Split => {
  const [inImage, inFlist] = [new Set(image), new Set(flist)]
  const all = [...new Set([...wanted, ...inImage, ...inFlist])].sort()
  const pick = (i: boolean, f: boolean): string[] =>
    all.filter((path) => inImage.has(path) === i && inFlist.has(path) === f)
  return {
    title,
    image: pick(true, false),
    both: pick(true, true),
    flist: pick(false, true),
    nowhere: pick(false, false),
  }
}

const rows = ({ title, image, both, flist, nowhere }: Split): string[] => [
  `${title}: ${image.length + both.length} in the initramfs (${both.length} of them in the flist too), ${flist.length} behind the flist alone, ${nowhere.length} nowhere`,
  ...[
    ['initramfs', image],
    ['both', both],
    ['flist', flist],
    ['nowhere', nowhere],
  ].flatMap(([name, paths]) => (paths as readonly string[]).map((path) => `  ${String(name).padEnd(9)} ${path}`)),
]

/** Names of firmware that the kernel's drivers ask for, from the index in the kernel's artifact. */
const askedFirmware = async (ctx: PackContext, modules: Ref): Promise<string[]> => {
  const { files } = await ctx.artifact({ ...modules, slot: '' })
  const index = files?.index
  if (!index) return []
  const { modules: found } = JSON.parse(new TextDecoder().decode(await ctx.blobs.read(index))) as {
    modules: readonly { readonly firmware: readonly string[] }[]
  }
  // Patterns stand for files that are counted by their own names.
  return found.flatMap(({ firmware }) => firmware).filter((name) => !/[*?[]/.test(name))
}

const plainName = (path: string): string => path.replace(/\.(xz|zst)$/, '')

/** Makes `split.txt`: a line for each kind, then a line for each file. */
export const packSplit = async (
  ctx: PackContext,
  { flists }: RfsOptions,
  refOf: (name: FlistName) => Ref,
): Promise<Packed> => {
  const splits: Split[] = []
  for (const name of flistNames({ flists })) {
    const artifact = await ctx.artifact(refOf(name))
    const blob = artifact.files?.[flistSlot]
    if (!blob) throw new ZosError('RFS_SPLIT', `the component ${name} has no flist`)
    const entries = readFlist(await ctx.blobs.read(blob), `${name}.fl`).entries
    const inFlist = entries
      .filter((entry) => isFile(entry) || entry.target !== undefined)
      .map(({ path }) => path.slice(1))
    if (name === 'modules') {
      const folder = `/lib/modules/${artifact.facts?.release}`
      const all = filesOf((await ctx.tree(flists.modules!)).subtree(folder)).filter(isModule)
      const image = filesOf(ctx.root.subtree(folder)).filter(isModule)
      splits.push(splitOf('modules', all, image, inFlist.filter(isModule)))
    } else {
      const asked = flists.modules ? await askedFirmware(ctx, flists.modules) : []
      const image = filesOf(ctx.root.subtree('/lib/firmware')).map(plainName)
      splits.push(splitOf('firmware', asked, image, inFlist.map(plainName)))
    }
  }
  const counts = splits.map(({ title, image, both, flist, nowhere }) => ({
    title,
    image: image.length + both.length,
    flist: flist.length,
    nowhere: nowhere.length,
  }))
  for (const { title, image, flist, nowhere } of counts)
    ctx.explain(`${title}: ${image} in the initramfs, ${flist} behind the flist, ${nowhere} nowhere`)
  return {
    blob: await ctx.blobs.put(`${splits.flatMap(rows).join('\n')}\n`),
    facts: Object.fromEntries(counts.map(({ title, ...rest }) => [title, rest])),
  }
}
