import type { DeltaBuilder, FileEntry, TapContext, TreeRecord, TreeView } from '@zos/core'
import { type SystemOptions, stripTool } from './options.js'

type FileRecord = FileEntry & { readonly path: string }

/** Modules of the kernel are its plugin's, and may be signed; debug files are there to be read. */
const others = /^(\/usr)?\/lib\/(modules|debug)\//

const isCandidate = (record: TreeRecord): record is FileRecord =>
  record.kind === 'file' && record.blob.size > 64 && !others.test(record.path)

/** Sections that no running program reads. */
const isSpare = (name: string): boolean => name === '.symtab' || /^\.(z?debug_|gnu_debugdata$|stab)/.test(name)

/** Whether a file is a program or library with something to strip; looked up once a content. */
const hasSpare = async (ctx: TapContext, { blob }: FileRecord): Promise<boolean> => {
  const { facts } = await ctx.remember('spare-sections-1', { sha256: blob.sha256 }, async () => {
    const { elfSections, isElf, parseElf } = await import('@zos/core/format')
    const bytes = await ctx.blobs.read(blob)
    if (!isElf(bytes)) return { facts: { spare: false } }
    const { type } = parseElf(bytes)
    const spare = (type === 'EXEC' || type === 'DYN') && elfSections(bytes).some(({ name }) => isSpare(name))
    return { facts: { spare } }
  })
  return facts?.spare === true
}

/** One file without its spare sections, whatever its architecture. */
const stripped = async (ctx: TapContext, { path, blob }: FileRecord) => {
  const { tree } = await ctx.run({
    name: `strip ${path}`,
    command: [stripTool, '-o', 'stripped', 'program'],
    inputs: { program: blob },
    outputs: ['stripped'],
    toolchain: await ctx.host({ tools: [stripTool], packages: ['elfutils', 'libelf1', 'libdw1'] }),
  })
  const entry = tree.get('/stripped')
  if (entry?.kind !== 'file') throw new Error(`${stripTool} left no file`)
  return entry.blob
}

/** Takes symbols and debug information out of programs and libraries: one command a content, side by side. */
export const strip = async (
  tree: TreeView,
  ctx: TapContext,
  { strip: asked }: SystemOptions,
): Promise<DeltaBuilder> => {
  const delta = tree.delta()
  if (asked === false) return delta
  const kept = new Set((asked?.keep ?? []).flatMap((pattern) => tree.glob(pattern).map(({ path }) => path)))
  const found: FileRecord[] = []
  for (const record of tree.glob('/**'))
    if (isCandidate(record) && !kept.has(record.path) && (await hasSpare(ctx, record))) found.push(record)
  let done = 0
  const results = await Promise.all(
    found.map(async (record) => {
      const blob = await stripped(ctx, record)
      ctx.progress(record.path, ++done, found.length)
      return { record, blob }
    }),
  )
  let saved = 0
  for (const { record, blob } of results) {
    if (blob.size >= record.blob.size) continue
    // Hard links of one file change together.
    delta.replace(record.path, blob)
    saved += record.blob.size - blob.size
    ctx.detail(`${record.path}  ${record.blob.size} → ${blob.size} bytes`)
  }
  if (saved > 0) ctx.explain(`${results.length} files, ${(saved / 1e6).toFixed(1)} MB`)
  return delta
}
