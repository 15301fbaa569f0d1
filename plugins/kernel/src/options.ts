import { type Ref, refOption } from '@zos/core'
import * as v from 'valibot'
import type { ModuleLists } from './wishes.js'

/** Where firmware comes from, and which of it goes into the image. */
export interface FirmwareOptions {
  /** Path of a `firmware.conf`: a file name, glob or folder below `/lib/firmware` a line. It alone decides, beside wishes. */
  readonly list: string
  /** Packages that ship firmware: `base.tree(['firmware-misc-nonfree'])`. */
  readonly tree: Ref
}

interface CommonOptions {
  /** A tree with one prebuilt kernel, its modules and its config: `base.tree(['linux-image-6.12-cloud-amd64'])`. */
  readonly source: Ref
  /** Path of a `modules.conf` (`stage1:NAME`, `stage2:NAME` a line), or the names by stage. */
  readonly modules: string | ModuleLists
  readonly firmware?: FirmwareOptions
}

/** `vmlinuz.efi` is a unified kernel image: kernel, command line and initramfs added to an EFI stub. */
export interface UkiOptions extends CommonOptions {
  readonly embed: 'uki'
  /** A tree with systemd's EFI stub: `base.tree(['systemd-boot-efi'])`. */
  readonly stub: Ref
  /** Command line of the kernel, at most 2047 bytes: `console=ttyS0`. */
  readonly cmdline: string
}

/** No `vmlinuz.efi`: the plain kernel, for a boot loader that brings the initramfs and the command line. */
export interface PlainOptions extends CommonOptions {
  readonly embed: 'none'
}

export type KernelOptions = UkiOptions | PlainOptions

const names = v.array(v.string())

const common = {
  source: refOption,
  modules: v.union(
    [v.string(), v.strictObject({ stage1: v.exactOptional(names), stage2: v.exactOptional(names) })],
    "expected the path of a modules.conf, or { stage1: ['…'], stage2: ['…'] }",
  ),
  firmware: v.exactOptional(v.strictObject({ list: v.string(), tree: refOption })),
}

/** COMMAND_LINE_SIZE of x86 is 2048 with the closing zero. */
const cmdline = v.pipe(
  v.string(),
  v.maxBytes(2047, 'expected at most 2047 bytes'),
  v.regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters'),
)

export const kernelOptions: v.GenericSchema<KernelOptions> = v.variant('embed', [
  v.strictObject({ ...common, embed: v.literal('uki'), stub: refOption, cmdline }),
  v.strictObject({ ...common, embed: v.literal('none') }),
])
