import type { Finding, TapContext, TreeRecord, TreeView } from '@zos/core'

/** The part of an ELF header that says what a file needs to be loaded. */
export interface Linked {
  readonly interpreter?: string
  readonly needed: readonly string[]
  /** Folders that it names itself, `$ORIGIN` kept; RUNPATH counts for RPATH. */
  readonly path: readonly string[]
}

/** Where musl looks when `/etc/ld-musl-ARCH.path` says nothing else. */
const muslFolders = ['/lib', '/usr/local/lib', '/usr/lib']

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

const isCandidate = ({ path, kind, mode }: TreeRecord): boolean =>
  kind === 'file' && ((mode & 0o111) !== 0 || /\.so(\.[0-9.]+)?$/.test(path)) && !/\.ko(\.(xz|zst|gz))?$/.test(path)

const readLinked = async (ctx: TapContext, record: TreeRecord): Promise<Linked | undefined> => {
  if (record.kind !== 'file') return undefined
  const { blob } = record
  // A thousand programs are read once, and again only when they change.
  const { facts } = await ctx.remember('linked-1', { sha256: blob.sha256 }, async () => {
    const { isElf, parseElf } = await import('@zos/core/format')
    const bytes = await ctx.blobs.read(blob)
    if (!isElf(bytes)) return {}
    const { interpreter, needed, runpath, rpath, type } = parseElf(bytes)
    if (type !== 'EXEC' && type !== 'DYN') return {}
    const path = runpath.length > 0 ? runpath : rpath
    return { facts: { linked: { ...(interpreter !== undefined && { interpreter }), needed, path } } }
  })
  return facts?.linked as Linked | undefined
}

/** The folders that the image's loaders search by themselves: musl's, and glibc's with those of Debian. */
const loaderFolders = async (tree: TreeView): Promise<string[]> => {
  const folders: string[] = []
  for (const { path } of tree.glob('/lib/ld-musl-*.so.1')) {
    const list = path.replace(/^\/lib\/(.*)\.so\.1$/, '/etc/$1.path')
    const text = tree.get(list) === undefined ? muslFolders.join('\n') : await tree.text(list)
    folders.push(...text.split(/[:\n]/).filter((folder) => folder.startsWith('/')))
  }
  if (tree.glob('/{lib,lib64,usr/lib,usr/lib64}/{ld-linux*,*/ld-linux*}').length > 0) {
    folders.push('/lib', '/usr/lib', '/lib64', '/usr/lib64')
    for (const { path } of tree.glob('/{lib,usr/lib}/*-linux-gnu*')) folders.push(path)
  }
  return [...new Set(folders)]
}

/** Every dynamic program and library of the finished tree finds its loader and its libraries in it. */
export const libraryFindings = async (
  tree: TreeView,
  ctx: TapContext,
  unlinked: readonly string[],
): Promise<Finding[]> => {
  const passing = new Set(unlinked.flatMap((pattern) => tree.glob(pattern).map(({ path }) => path)))
  const folders = await loaderFolders(tree)
  const isFile = (path: string): boolean => {
    const real = tree.resolve(path)
    return real !== undefined && tree.get(real)?.kind === 'file'
  }
  const findings: Finding[] = []
  for (const record of tree.glob('/**')) {
    if (!isCandidate(record) || passing.has(record.path)) continue
    const linked = await readLinked(ctx, record)
    if (!linked) continue
    const { interpreter, needed, path } = linked
    if (interpreter !== undefined && !isFile(interpreter)) findings.push(noLoader(record.path, interpreter))
    const own = path.map((folder) => folder.replace(/\$\{?ORIGIN\}?/, folderOf(record.path)))
    const missing = needed.filter(
      (name) =>
        !(name.includes('/') ? isFile(name) : [...own, ...folders].some((folder) => isFile(`${folder}/${name}`))),
    )
    if (missing.length > 0) findings.push(noLibrary(record.path, missing))
  }
  return findings
}

const noLoader = (subject: string, interpreter: string): Finding => ({
  level: 'error',
  code: 'SYSTEM_NO_LOADER',
  subject,
  message: `is started by ${interpreter}, which the image does not have`,
  hint: 'add the package with that C library, or take the program out',
})

const noLibrary = (subject: string, missing: readonly string[]): Finding => ({
  level: 'error',
  code: 'SYSTEM_NO_LIBRARY',
  subject,
  message: `needs ${missing.join(', ')}, which the image does not have`,
  hint: 'add the package with the library; a plugin that its program finds by other means: system({ unlinked })',
})
