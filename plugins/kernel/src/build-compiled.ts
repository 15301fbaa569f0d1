import {
  type Artifact,
  type Blob,
  FileTree,
  isRef,
  isZosError,
  type Package,
  type TapContext,
  type Toolchain,
  ZosError,
} from '@zos/core'
import {
  compileAction,
  compressAction,
  configureAction,
  type KernelAction,
  type KernelSources,
  kconfigAction,
  sourceAction,
} from './build-actions.js'
import { kernelPackage, versionOf } from './build-prebuilt.js'
import { checkSigningKey, compilerFor } from './compiler.js'
import { withIndexes } from './depmod.js'
import { parseKconfig } from './kconfig.js'
import { sourceName } from './kernel-artifact.js'
import { type KernelConfig, parseKernelConfig } from './kernel-config.js'
import { configOptions, kernelSettings, linesText, releaseOf, type Settings } from './kernel-settings.js'
import { type KernelOrgSource, tarballUrl } from './kernel-source.js'
import { checkImageRelease } from './kernel-tree.js'
import { readModuleIndex } from './module-files.js'
import type { CompiledKernelOptions } from './options.js'
import { explainRefused, refusedLines } from './refused.js'
import { kernelTargets } from './target.js'

/** Compiles a kernel: sources, config, objects and modules are actions of their own, so that each is made only when it must. */
export const buildCompiled = async (ctx: TapContext, options: CompiledKernelOptions): Promise<Artifact> => {
  const target = kernelTargets[ctx.arch]
  const compiler = await compilerFor(ctx, target)
  const settings = await kernelSettings(ctx, options)
  const found = await sourcesOf(ctx, options)
  const patches = await Promise.all(
    (options.patches ?? []).map(async (path) => ctx.blobs.put(await ctx.project.bytes(path))),
  )
  const packing = await ctx.host({ tools: ['tar', 'xz', 'gzip', 'zstd', 'patch', 'find'] })
  const sources = await step(ctx, sourceAction(found, patches), packing, 'KERNEL_SOURCES')
  const kconfig = fileOf(sources, '/kconfig.tar.zst')

  const base = 'target' in settings.base ? settings.base.target : await ctx.blobs.put(settings.base.text)
  const lines = await ctx.blobs.put(linesText(settings.lines))
  const configured = await step(ctx, configureAction(target, { kconfig, base, lines }), compiler, 'KERNEL_CONFIGURE')
  const configBlob = fileOf(configured, '/config')
  const config = parseKernelConfig(await textOf(ctx, configBlob), '.config')
  await checkRefused(ctx, options, settings, kconfig, config)
  checkSigningKey(config)
  const release = releaseOf(await textOf(ctx, fileOf(configured, '/version')), config.get('CONFIG_LOCALVERSION'))

  const input = { sources: fileOf(sources, '/linux.tar.zst'), kconfig, config: configBlob }
  const compiled = await step(
    ctx,
    compileAction(target, input),
    await compilerFor(ctx, target, config),
    'KERNEL_COMPILE',
  )
  const said = (await textOf(ctx, fileOf(compiled, '/release'))).trim()
  if (said !== release)
    throw new ZosError('KERNEL_RELEASE', `the build calls the kernel ${said}, its configs say ${release}`)
  const image = fileOf(compiled, '/image')
  if (ctx.arch === 'x86_64') checkImageRelease(await ctx.blobs.read(image), release)

  const modules = await compressed(ctx, options, compiled.subtree('/modules'))
  const systemMap = fileOf(compiled, '/System.map')
  const index = await readModuleIndex(ctx, release, modules)
  const folder = await withIndexes(ctx, { release, modules, systemMap })
  ctx.package(kernelPackage(versionOf(release), origin(found, options)))
  return {
    trees: { modules: FileTree.empty.mount(`/lib/modules/${release}`, folder) },
    files: {
      ...{ image, config: configBlob, 'system-map': systemMap, index },
      objects: fileOf(compiled, '/objects.tar'),
      headers: fileOf(compiled, '/headers.tar.zst'),
    },
    facts: { release, version: versionOf(release) },
  }
}

/** Where the sources come from, for the bill of materials. */
const origin = (sources: KernelSources, { source }: CompiledKernelOptions): Pick<Package, 'sha256' | 'download'> => ({
  ...('archive' in sources && { sha256: sources.archive.sha256 }),
  ...(!isRef(source) && source.kind === 'kernel-org' && { download: tarballUrl(source as KernelOrgSource) }),
})

/** Runs an action; a failure keeps the compiler's own lines, the log and what else the core says of it. */
const step = async (ctx: TapContext, action: KernelAction, toolchain: Toolchain, code: string): Promise<FileTree> => {
  try {
    return (await ctx.run({ ...action, toolchain })).tree
  } catch (cause) {
    if (!isZosError(cause) || cause.code !== 'ACTION_FAILED') throw cause
    throw new ZosError(code, cause.message, { hint: cause.hint, data: cause.data, cause })
  }
}

const fileOf = (tree: FileTree, path: string): Blob => {
  const entry = tree.get(path)
  if (entry?.kind === 'file') return entry.blob
  throw new ZosError('KERNEL_BUILD', `the build left no file ${path}`)
}

const textOf = async (ctx: TapContext, blob: Blob): Promise<string> =>
  new TextDecoder().decode(await ctx.blobs.read(blob))

/** An archive of the sources, or a tree: of a package that has either, of a repository, or of a folder. */
const sourcesOf = async (ctx: TapContext, { source }: CompiledKernelOptions): Promise<KernelSources> => {
  if (isRef(source)) return sourcesIn(await ctx.tree(source))
  const { blob, tree } = await ctx.fetched(sourceName)
  if (blob) return { archive: blob }
  return sourcesIn((tree ?? FileTree.empty).filter(({ path }) => path !== '/.git' && !path.startsWith('/.git/')))
}

const sourcesIn = (tree: FileTree): KernelSources => {
  if (tree.get('/Kconfig') && tree.get('/Makefile')) return { tree }
  const archives = tree.glob('/usr/src/linux-source-*.tar.*')
  const [archive] = archives
  if (archives.length === 1 && archive?.kind === 'file') return { archive: archive.blob }
  throw new ZosError(
    'KERNEL_SOURCE',
    `expected the sources of Linux (/Kconfig, /Makefile) or one /usr/src/linux-source-VERSION.tar.xz, found ${archives.length > 1 ? archives.map(({ path }) => path).join(', ') : 'neither'}`,
    {
      hint: "name the package of the sources, base.tree(['linux-source-6.12']), or leave config out for a prebuilt kernel",
    },
  )
}

/** Every line that Kconfig did not take comes in one report, each with its reason. */
const checkRefused = async (
  ctx: TapContext,
  options: CompiledKernelOptions,
  { lines }: Settings,
  kconfig: Blob,
  config: KernelConfig,
): Promise<void> => {
  const refused = refusedLines(lines, config)
  if (refused.length === 0) return
  const { tree } = await ctx.run({
    ...kconfigAction(kconfig),
    toolchain: await ctx.host({ tools: ['tar', 'zstd', 'find'] }),
  })
  const files = new Map<string, string>()
  for (const record of tree.subtree('/kconfig').records())
    if (record.kind === 'file') files.set(record.path.slice(1), await textOf(ctx, record.blob))
  const parsed = parseKconfig(files, kernelTargets[ctx.arch].arch)
  const reasons = refused.map((line) => explainRefused(line, parsed, config)).join('\n')
  const hint = "kernel({ config: { refused: 'warning' } }) builds all the same"
  if (configOptions(options).refused === 'warning') ctx.warn('KERNEL_CONFIG_REFUSED', reasons)
  else throw new ZosError('KERNEL_CONFIG_REFUSED', reasons, { hint })
}

const compressed = async (
  ctx: TapContext,
  { moduleCompression = 'none' }: CompiledKernelOptions,
  modules: FileTree,
): Promise<FileTree> => {
  if (moduleCompression === 'none') return modules
  const toolchain = await ctx.host({ tools: [moduleCompression, 'find'] })
  const { tree } = await ctx.run({ ...compressAction(modules, moduleCompression), toolchain })
  return tree.subtree('/modules')
}
