import type { Blob, DeltaBuilder, FileEntry, TapContext, TreeRecord, TreeView } from '@zos/core'
import { type Measured, obstacle, type Program, verdict } from './judge.js'
import type { UpxOptions } from './options.js'

type FileRecord = FileEntry & { readonly path: string }

/** UPX refuses smaller programs: its stub alone has some kilobytes. */
const smallest = 40 * 1024

/** What an ELF program is, looked up once a content; `undefined` for what is none. */
const lookAt = async (ctx: TapContext, { path, mode, xattrs, blob }: FileRecord) => {
  const { facts } = await ctx.remember('program-1', { sha256: blob.sha256 }, async () => {
    const { elfArch, elfMemory, elfSections, isElf, parseElf } = await import('@zos/core/format')
    const bytes = await ctx.blobs.read(blob)
    if (!isElf(bytes)) return {}
    const { type, pie, interpreter, machine } = parseElf(bytes)
    // What is DYN and no program is a library, also when it may be started as glibc's own.
    if (type !== 'EXEC' && !pie) return {}
    const isGo = elfSections(bytes).some(({ name }) => name === '.go.buildinfo' || name === '.note.go.buildid')
    const isPacked = Buffer.from(bytes.subarray(0, 4096)).includes('UPX!')
    const elf = { type, pie, arch: elfArch(machine), isGo, isPacked, ...(interpreter !== undefined && { interpreter }) }
    return { facts: { elf, memory: elfMemory(bytes) } }
  })
  if (!facts?.elf) return undefined
  const hasCapabilities = xattrs?.['security.capability'] !== undefined
  const program: Program = {
    path,
    mode,
    hasCapabilities,
    ...(facts.elf as unknown as Omit<Program, 'path' | 'mode' | 'hasCapabilities'>),
  }
  return { program, memory: Number(facts.memory) }
}

/** Packs and tests one program; gives why UPX would not, where it did not. */
const packOne = async (ctx: TapContext, { path, blob }: FileRecord): Promise<Blob | string> => {
  const script = [
    'mkdir result',
    'cp program work && chmod 755 work',
    'if upx -q -9 -o result/program work >log 2>&1; then upx -q -t result/program; else',
    '  grep -o "[A-Za-z]*Exception.*" log >result/why || tail -n 1 log >result/why; rm -f result/program; fi',
  ]
  const { tree } = await ctx.run({
    name: `upx ${path}`,
    command: ['sh', '-euc', script.join('\n')],
    inputs: { program: blob },
    outputs: ['result'],
    toolchain: await ctx.host({
      tools: ['sh', 'upx', 'cp', 'chmod', 'mkdir', 'rm', 'grep', 'tail'],
      packages: ['upx-ucl'],
    }),
  })
  const packed = tree.get('/result/program')
  if (packed?.kind === 'file') return packed.blob
  const why = tree.get('/result/why')
  return why?.kind === 'file'
    ? Buffer.from(await ctx.blobs.read(why.blob))
        .toString('utf8')
        .trim()
    : 'it gave no file'
}

const kilobytes = (bytes: number): string => `${bytes > 0 ? '+' : ''}${(bytes / 1000).toFixed(1)} kB`

/** Packs the programs of the image that gain by it; each content is packed, tested and measured once. */
export const pack = async (tree: TreeView, ctx: TapContext, options: UpxOptions): Promise<DeltaBuilder> => {
  const { when = 'smaller', files = ['/**'], keep = [] } = options
  const delta = tree.delta()
  const kept = new Set(keep.flatMap((pattern) => tree.glob(pattern).map(({ path }) => path)))
  const isProgram = (record: TreeRecord): record is FileRecord =>
    record.kind === 'file' && (record.mode & 0o111) !== 0 && record.blob.size >= smallest
  const records = new Map(
    files.flatMap((pattern) =>
      tree
        .glob(pattern)
        .filter(isProgram)
        .map((one) => [one.path, one]),
    ),
  )
  const tried = new Map<string, { record: FileRecord; memory: number }>()
  for (const record of records.values()) {
    const found = await lookAt(ctx, record)
    if (!found) continue
    const why = kept.has(record.path) ? 'keep names it' : obstacle(found.program)
    if (why === undefined) tried.set(record.path, { record, memory: found.memory })
    else ctx.detail(`${record.path}  not packed: ${why}`)
  }
  let done = 0
  const measured = await Promise.all(
    [...tried.values()].map(async ({ record, memory }) => {
      const packed = await packOne(ctx, record)
      const sizes =
        typeof packed === 'string' ? [0, 0] : await Promise.all([ctx.packedSize(record.blob), ctx.packedSize(packed)])
      ctx.progress(record.path, ++done, tried.size)
      return { record, memory, packed, sizes }
    }),
  )
  const chosen: { record: FileRecord; packed: Blob }[] = []
  for (const { record, memory, packed, sizes } of measured) {
    if (typeof packed === 'string') {
      ctx.detail(`${record.path}  not packed: UPX says: ${packed}`)
      continue
    }
    const one: Measured = {
      path: record.path,
      plain: { size: record.blob.size, inImage: sizes[0]!, memory },
      packed: { size: packed.size, inImage: sizes[1]! },
    }
    const { isPacked, reason, memory: more } = verdict(one, when)
    const change = kilobytes(one.packed.inImage - one.plain.inImage)
    ctx.detail(
      `${record.path}  ${isPacked ? 'packed' : 'not packed'}: ${reason} (file ${one.plain.size} → ${packed.size} bytes, ` +
        `image ${change}, memory ${kilobytes(more)} a process)`,
    )
    if (isPacked) chosen.push({ record, packed })
  }
  // Alone is not beside others: what all of them give together is confirmed once.
  const before = await ctx.packedSize(...chosen.map(({ record }) => record.blob))
  const after = await ctx.packedSize(...chosen.map(({ packed }) => packed))
  if (when === 'smaller' && after >= before && chosen.length > 0) {
    ctx.detail(`all together  not packed: they take ${before} bytes of the image plain, and ${after} packed`)
    chosen.length = 0
  }
  for (const { record, packed } of chosen) delta.replace(record.path, packed)
  const gain = chosen.length > 0 ? `, image ${kilobytes(after - before)}` : ''
  ctx.explain(`${chosen.length} of ${measured.length} programs packed${gain}`)
  return delta
}
