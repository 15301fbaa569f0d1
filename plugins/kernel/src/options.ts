import { isRef, type Ref, refOption, type Source } from '@zos/core'
import * as v from 'valibot'
import { type Include, includes } from './included.js'
import { type KernelOrgSource, kernelOrgSite } from './kernel-source.js'
import type { ModuleLists } from './wishes.js'

/** Where firmware comes from, and which of it goes into the image. */
export interface FirmwareOptions {
  /** Path of a `firmware.conf`: a file name, glob or folder below `/lib/firmware` a line. It alone decides, beside wishes. */
  readonly list: string
  /** Packages that ship firmware: `base.tree(['firmware-misc-nonfree'])`. */
  readonly tree: Ref
}

interface CommonOptions {
  /** Path of a `modules.conf` (`stage1:NAME`, `stage2:NAME` a line), or the names by stage. */
  readonly modules: string | ModuleLists
  readonly firmware?: FirmwareOptions
  /**
   * How many modules the initramfs has. `minimal`: the essential drivers, as far as they are not built in. `standard`: those of
   * `modules` too. `full`: all of the kernel's. Variable: INCLUDE_MODULES. Just those of `modules` where nothing is said.
   */
  readonly include?: Include
  /**
   * Asks zinit for the units `stage1-modules`, and `stage2-modules` after the unit `network`, which load each stage in the
   * order of its list.
   */
  readonly units?: boolean
  /**
   * A component whose commit, or else version, goes into the long name of `vmlinuz.efi`: with
   * `nameAfter: tools.component('zinit')` it is `vmlinuz-RELEASE-HASH.efi`.
   */
  readonly nameAfter?: Ref
}

/** A kernel that somebody else built. */
interface PrebuiltOptions {
  /** A tree with one prebuilt kernel, its modules and its config: `base.tree(['linux-image-6.12-cloud-amd64'])`. */
  readonly source: Ref
  readonly config?: undefined
}

/** What the kernel's `.config` is made of. */
export interface ConfigOptions {
  /** Path of a whole config, or a target of the kernel's own: `tinyconfig`, `defconfig`, `allnoconfig`. */
  readonly base: string
  /** Paths of further configs, each before the next: what a later one says counts. */
  readonly fragments?: readonly string[]
  /** Whether a line of a fragment, or a plugin's wish, that the kernel does not take ends the build; `error` unless told. */
  readonly refused?: 'error' | 'warning'
}

/** A kernel that is compiled here. */
interface CompiledOptions {
  /**
   * The sources: `kernelOrg('6.12.44')`, `git(url, { ref })`, `http(url, { sha256 })` of a tar archive, `path(folder)`, or
   * a package with them: `base.tree(['linux-source-6.12'])`.
   */
  readonly source: Ref | Source
  /** Path of a whole config, or what it is made of. */
  readonly config: string | ConfigOptions
  /** What is added to the version: `-Zero-OS` makes `uname -r` say `6.12.44-Zero-OS`. */
  readonly localVersion?: string
  /** Paths of patches, unified diffs with one leading folder (`a/kernel/fork.c`), applied in this order. */
  readonly patches?: readonly string[]
  /** Compression of the module files; `none` unless told, since the initramfs is compressed as a whole. */
  readonly moduleCompression?: ModuleCompression
}

export type ModuleCompression = 'none' | 'xz' | 'zstd'

/** `vmlinuz.efi` is a unified kernel image: kernel, command line and initramfs added to an EFI stub. */
interface UkiEmbedding {
  readonly embed: 'uki'
  /** A tree with systemd's EFI stub: `base.tree(['systemd-boot-efi'])`. */
  readonly stub: Ref
  /** Command line of the kernel, at most 2047 bytes: `console=ttyS0`. */
  readonly cmdline: string
  /** Size in MiB of `disk.img`, a raw disk whose EFI system partition starts `vmlinuz.efi`; there is none without it. */
  readonly diskSize?: number
}

/** `vmlinuz.efi` is the kernel itself, with the initramfs linked in. */
interface BuiltinEmbedding {
  readonly embed: 'builtin'
  /** Command line that the kernel begins with (`CONFIG_CMDLINE`); another one compiles the kernel again. */
  readonly cmdline?: string
  /** Size in MiB of `disk.img`, a raw disk whose EFI system partition starts `vmlinuz.efi`; there is none without it. */
  readonly diskSize?: number
}

/** No `vmlinuz.efi`: the plain kernel, for a boot loader that brings the initramfs and the command line. */
interface NoEmbedding {
  readonly embed: 'none'
}

export type UkiOptions = CommonOptions & (PrebuiltOptions | CompiledOptions) & UkiEmbedding
export type BuiltinOptions = CommonOptions & CompiledOptions & BuiltinEmbedding
export type PlainOptions = CommonOptions & (PrebuiltOptions | CompiledOptions) & NoEmbedding
export type KernelOptions = UkiOptions | BuiltinOptions | PlainOptions

/** Options of a kernel that is compiled here. */
export type CompiledKernelOptions = KernelOptions & CompiledOptions

export const isCompiled = (options: KernelOptions): options is CompiledKernelOptions => options.config !== undefined

const names = v.array(v.string())
const path = v.pipe(v.string(), v.minLength(1, 'expected the path of a file of the project'))

const kernelOrgSource: v.GenericSchema<KernelOrgSource> = v.strictObject({
  kind: v.literal('kernel-org'),
  version: v.pipe(v.string(), v.regex(/^\d{1,3}(\.\d{1,4}){1,2}$/, 'expected a released version, such as 6.12.44')),
  sha256: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'))),
  keyring: v.exactOptional(path),
  mirrors: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, `expected an address such as ${kernelOrgSite}`))),
    v.minLength(1, 'expected at least one server'),
  ),
})

const expectedSource =
  "expected kernelOrg('6.12.44'), git(…), http(…), path(…), or a package: base.tree(['linux-source-6.12'])"
const otherSource = v.custom<Source>(
  (value) => ['git', 'http', 'path'].includes(String((value as Source | null)?.kind)),
  expectedSource,
)
const anySource = v.lazy((value) =>
  (value as Source | null)?.kind === 'kernel-org' ? kernelOrgSource : v.union([refOption, otherSource], expectedSource),
)

const common = {
  source: anySource,
  modules: v.union(
    [v.string(), v.strictObject({ stage1: v.exactOptional(names), stage2: v.exactOptional(names) })],
    "expected the path of a modules.conf, or { stage1: ['…'], stage2: ['…'] }",
  ),
  firmware: v.exactOptional(v.strictObject({ list: v.string(), tree: refOption })),
  include: v.exactOptional(v.picklist(includes)),
  units: v.exactOptional(v.boolean()),
  nameAfter: v.exactOptional(refOption),
}

/** What makes sense only where `config` says that the kernel is compiled here. */
const compiled = {
  config: v.exactOptional(
    v.union(
      [
        path,
        v.strictObject({
          base: path,
          fragments: v.exactOptional(v.array(path)),
          refused: v.exactOptional(v.picklist(['error', 'warning'])),
        }),
      ],
      "expected the path of a kernel config, or { base: 'tinyconfig', fragments: ['…'] }",
    ),
  ),
  // setlocalversion puts it into a file name and a shell word; the whole release has at most 64 characters.
  localVersion: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9.+~_-]{1,40}$/, 'expected letters, digits and .+~_-, such as -Zero-OS')),
  ),
  patches: v.exactOptional(v.array(path)),
  moduleCompression: v.exactOptional(v.picklist(['none', 'xz', 'zstd'])),
}

/** COMMAND_LINE_SIZE of x86 is 2048 with the closing zero. */
const cmdline = v.pipe(
  v.string(),
  v.maxBytes(2047, 'expected at most 2047 bytes'),
  v.regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters'),
)

const diskSize = v.exactOptional(
  v.pipe(v.number(), v.integer('expected whole MiB'), v.minValue(40, 'expected at least 40 MiB'), v.maxValue(65_536)),
)

/** What the options say together: a kernel from a package is as it is. */
const problemOf = (options: Partial<CompiledKernelOptions>): string | undefined => {
  if (options.config !== undefined) return undefined
  const needs = "needs config, the path of a kernel config or { base: 'tinyconfig', fragments: ['…'] }"
  if (options.source !== undefined && !isRef(options.source)) return `a kernel from source ${needs}`
  if (options.embed === 'builtin') return `embed: 'builtin' compiles the kernel here, and ${needs}`
  const other = Object.keys(compiled).find((key) => key in options)
  return other && `${other} is for a kernel that is compiled here, which ${needs}`
}

export const kernelOptions = v.pipe(
  v.variant('embed', [
    v.strictObject({ ...common, ...compiled, embed: v.literal('uki'), stub: refOption, cmdline, diskSize }),
    v.strictObject({
      ...common,
      ...compiled,
      embed: v.literal('builtin'),
      cmdline: v.exactOptional(cmdline),
      diskSize,
    }),
    v.strictObject({ ...common, ...compiled, embed: v.literal('none') }),
  ]),
  v.check(
    (options) => problemOf(options as Partial<CompiledKernelOptions>) === undefined,
    ({ input }) => problemOf(input as Partial<CompiledKernelOptions>) ?? '',
  ),
) as unknown as v.GenericSchema<KernelOptions>
