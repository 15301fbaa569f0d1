import { type Ref, refOption } from '@zos/core'
import * as v from 'valibot'
import { isCompression, isForcing, isSize, sizeInBytes } from './values.js'

/** A size in bytes, or with a unit: `512MiB`. */
export type Size = number | `${number}${'KiB' | 'MiB' | 'GiB' | 'TiB'}`

/** Path of a device: `/dev/vda`. */
export type DevicePath = `/dev/${string}`

/** Which devices may be used. Patterns are as in a shell: `/dev/sd*`. */
export interface DevicesOptions {
  /** Devices that may be used. Default: `/dev/sd*`, `/dev/nvme*`, `/dev/vd*`. */
  readonly include?: readonly DevicePath[]
  /** Devices that may not, though they match `include`. */
  readonly exclude?: readonly DevicePath[]
  /** Removable devices that may be used. */
  readonly allow_removable?: readonly DevicePath[]
  /** Smaller disks are refused. Default: 2 GiB. */
  readonly min_size?: Size
  /** Whether a device rotates, in place of what the kernel says: it decides what is an SSD. */
  readonly rotational?: Readonly<Record<DevicePath, boolean>>
  /** What bytes mean that no known signature explains. Default: `refuse`, the disk holds data. */
  readonly unknown_data?: 'refuse' | 'allow'
}

export interface PartitionsOptions {
  /** Size of the EFI system partition, 260 MiB to 16 GiB. Default: 512 MiB. */
  readonly esp_size?: Size
  /** A partition for BIOS boot loaders. Default: `auto`, on machines that were not started by UEFI. */
  readonly bios_boot?: 'auto' | 'always' | 'never'
}

export interface VfatOptions {
  /** Further arguments of `mkfs.vfat`. */
  readonly mkfs_args?: readonly string[]
}

/** btrfs of which each has one device, or one that is mirrored. */
export interface BtrfsOptions<Profile extends string> {
  /** Mount option `compress`: `zlib`, `lzo` or `zstd`, the first and last with a level: `zstd:3`. */
  readonly compression?: string
  readonly data_profile?: Profile
  readonly metadata_profile?: Profile
  /** Further arguments of `mkfs.btrfs`; `-f` is refused. */
  readonly mkfs_args?: readonly string[]
}

export interface BcachefsOptions {
  /** `lz4`, `gzip` or `zstd`, the last two with a level: `zstd:3`. */
  readonly compression?: string
  /** Further arguments of `bcachefs format`; `--force` is refused. */
  readonly mkfs_args?: readonly string[]
}

/** Writes may go to the cache first: then losing the SSD loses what was not yet moved to the HDD. */
export interface WriteBackOptions extends BcachefsOptions {
  readonly write_back?: boolean
}

export interface SubvolumeOptions {
  readonly name: string
  /** Absolute path of the mount point. */
  readonly target: string
}

interface CommonOptions {
  /** The component that builds the program: `tools.component('zosstorage')`. */
  readonly program: Ref
  readonly devices?: DevicesOptions
  readonly partitions?: PartitionsOptions
  readonly mounts?: {
    /** Folder of the file systems' own mount points. Default: `/var/mounts`. */
    readonly base?: string
    /** Default: `system`, `etc`, `modules` and `vm-meta`, below `/var/cache`. */
    readonly subvolumes?: readonly SubvolumeOptions[]
  }
  /** Default: none is written. */
  readonly fstab?: { readonly enabled?: boolean; readonly path?: string }
  readonly report?: { readonly path?: string }
  readonly logging?: {
    readonly level?: 'error' | 'warn' | 'info' | 'debug'
    readonly to_file?: boolean
    readonly file?: string
    readonly json?: boolean
  }
}

type OneDevice = 'single' | 'dup'

/** What each topology takes. `disks` names the devices in the order of their roles, in place of `devices`. */
type TopologyOptions =
  | {
      /** Chosen on the machine, by number and kind of its disks. */
      readonly topology?: 'auto'
      readonly disks?: never
      readonly filesystems?: {
        readonly vfat?: VfatOptions
        readonly btrfs?: BtrfsOptions<OneDevice>
        readonly bcachefs?: WriteBackOptions
      }
    }
  | {
      /** One disk, btrfs. */
      readonly topology: 'single'
      readonly disks?: readonly [DevicePath]
      readonly filesystems?: { readonly vfat?: VfatOptions; readonly btrfs?: BtrfsOptions<OneDevice> }
    }
  | {
      /** Two disks with a btrfs each; the first is the primary one. */
      readonly topology: 'dual_independent' | 'ssd_hdd_btrfs'
      readonly disks?: readonly [primary: DevicePath, secondary: DevicePath]
      readonly filesystems?: { readonly vfat?: VfatOptions; readonly btrfs?: BtrfsOptions<OneDevice> }
    }
  | {
      /** Two disks, one mirrored btrfs. */
      readonly topology: 'btrfs_raid1'
      readonly disks?: readonly [DevicePath, DevicePath]
      readonly filesystems?: { readonly vfat?: VfatOptions; readonly btrfs?: BtrfsOptions<'raid1'> }
    }
  | {
      /** An SSD that caches an HDD, bcachefs. */
      readonly topology: 'ssd_hdd_bcachefs'
      readonly disks?: readonly [cache: DevicePath, backing: DevicePath]
      readonly filesystems?: { readonly vfat?: VfatOptions; readonly bcachefs?: WriteBackOptions }
    }
  | {
      /** An SSD that caches two HDDs with two replicas, bcachefs. */
      readonly topology: 'bcachefs_2copy'
      readonly disks?: readonly [cache: DevicePath, first: DevicePath, second: DevicePath]
      readonly filesystems?: { readonly vfat?: VfatOptions; readonly bcachefs?: BcachefsOptions }
    }

/** The keys of `/etc/zosstorage/config.yaml`, and the program. */
export type ZosstorageOptions = CommonOptions & TopologyOptions

const MiB = 1024 ** 2
const texts = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[^\p{Cc}]{1,4096}$/u, 'expected printable characters'))),
  v.maxLength(64),
)
const patterns = v.pipe(
  v.array(
    v.pipe(v.string(), v.regex(/^\/dev\/[^\p{Cc}]{1,4000}$/u, 'expected a path or pattern that begins with /dev/')),
  ),
  v.maxLength(64),
)
const mkfsArgs = v.pipe(
  texts,
  v.everyItem((text) => !isForcing(text), 'expected no argument that overwrites what is there (-f, --force)'),
)
const device = v.pipe(
  v.string(),
  v.regex(/^\/dev\/[^*?[\p{Cc}]{1,4000}$/u, 'expected the path of a device, such as /dev/vda'),
)
const absolute = v.pipe(
  v.string(),
  v.regex(/^(\/(?!\.{1,2}(\/|$))[^/\s\p{Cc}]+)+$/u, 'expected an absolute path in normal form, without spaces'),
  v.maxLength(4096),
)
const size = (least: number, most: number, words: string) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.check((value) => isSize(value), 'expected a size such as 512MiB, or a number of bytes'),
    v.check(
      (value) => !isSize(value) || (sizeInBytes(value) >= least && sizeInBytes(value) <= most),
      `expected ${words}`,
    ),
  )
const compression = (filesystem: 'btrfs' | 'bcachefs') =>
  v.pipe(
    v.string(),
    v.check((text) => isCompression(filesystem, text), `expected a method of ${filesystem}, such as zstd:3`),
  )

const vfat = v.exactOptional(v.strictObject({ mkfs_args: v.exactOptional(mkfsArgs) }))
const btrfs = (profiles: readonly string[]) =>
  v.exactOptional(
    v.strictObject({
      compression: v.exactOptional(compression('btrfs')),
      data_profile: v.exactOptional(v.picklist(profiles)),
      metadata_profile: v.exactOptional(v.picklist(profiles)),
      mkfs_args: v.exactOptional(mkfsArgs),
    }),
  )
const plainBcachefs = { compression: v.exactOptional(compression('bcachefs')), mkfs_args: v.exactOptional(mkfsArgs) }
const bcachefs = v.exactOptional(v.strictObject(plainBcachefs))
const writeBack = v.exactOptional(v.strictObject({ ...plainBcachefs, write_back: v.exactOptional(v.boolean()) }))

const subvolume = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/, 'expected a plain name')),
  target: absolute,
})
const isOnce = (items: { name: string; target: string }[]): boolean =>
  new Set(items.map(({ name }) => name)).size === items.length &&
  new Set(items.map(({ target }) => target)).size === items.length

const common = {
  program: refOption,
  devices: v.exactOptional(
    v.strictObject({
      include: v.exactOptional(v.pipe(patterns, v.minLength(1, 'expected at least one pattern'))),
      exclude: v.exactOptional(patterns),
      allow_removable: v.exactOptional(patterns),
      min_size: v.exactOptional(size(1024 * MiB, Number.MAX_SAFE_INTEGER, 'at least 1GiB')),
      rotational: v.exactOptional(
        v.record(v.pipe(v.string(), v.startsWith('/dev/', 'expected a path that begins with /dev/')), v.boolean()),
      ),
      unknown_data: v.exactOptional(v.picklist(['refuse', 'allow'])),
    }),
  ),
  partitions: v.exactOptional(
    v.strictObject({
      esp_size: v.exactOptional(size(260 * MiB, 16 * 1024 * MiB, '260MiB to 16GiB')),
      bios_boot: v.exactOptional(v.picklist(['auto', 'always', 'never'])),
    }),
  ),
  mounts: v.exactOptional(
    v.strictObject({
      base: v.exactOptional(absolute),
      subvolumes: v.exactOptional(
        v.pipe(
          v.array(subvolume),
          v.minLength(1, 'expected at least one subvolume'),
          v.check(isOnce, 'expected each name and each target once'),
        ),
      ),
    }),
  ),
  fstab: v.exactOptional(v.strictObject({ enabled: v.exactOptional(v.boolean()), path: v.exactOptional(absolute) })),
  report: v.exactOptional(v.strictObject({ path: v.exactOptional(absolute) })),
  logging: v.exactOptional(
    v.strictObject({
      level: v.exactOptional(v.picklist(['error', 'warn', 'info', 'debug'])),
      to_file: v.exactOptional(v.boolean()),
      file: v.exactOptional(absolute),
      json: v.exactOptional(v.boolean()),
    }),
  ),
}

const disks = (topology: string, count: number) =>
  v.exactOptional(
    v.pipe(
      v.array(device),
      v.length(count, `expected ${count} device${count === 1 ? '' : 's'}, which is what ${topology} takes`),
      v.check((items) => new Set(items).size === items.length, 'expected each device once'),
    ),
  )
const oneDevice = ['single', 'dup']
const of = <T extends string, F extends v.ObjectEntries>(topology: T, count: number, filesystems: F) =>
  v.strictObject({
    ...common,
    topology: v.literal(topology),
    disks: disks(topology, count),
    filesystems: v.exactOptional(v.strictObject(filesystems)),
  })

const automatic = v.strictObject({
  ...common,
  topology: v.exactOptional(v.literal('auto')),
  filesystems: v.exactOptional(v.strictObject({ vfat, btrfs: btrfs(oneDevice), bcachefs: writeBack })),
})
const named = v.variant('topology', [
  of('single', 1, { vfat, btrfs: btrfs(oneDevice) }),
  of('dual_independent', 2, { vfat, btrfs: btrfs(oneDevice) }),
  of('ssd_hdd_btrfs', 2, { vfat, btrfs: btrfs(oneDevice) }),
  of('btrfs_raid1', 2, { vfat, btrfs: btrfs(['raid1']) }),
  of('ssd_hdd_bcachefs', 2, { vfat, bcachefs: writeBack }),
  of('bcachefs_2copy', 3, { vfat, bcachefs }),
])

const isAutomatic = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || !('topology' in value) || value.topology === 'auto'

/** The topology is looked at first, so that a problem is said of the topology that was meant. */
export const zosstorageOptions = v.lazy((value) =>
  isAutomatic(value) ? automatic : named,
) as unknown as v.GenericSchema<ZosstorageOptions>
