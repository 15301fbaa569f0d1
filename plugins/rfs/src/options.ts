import { type Ref, refOption } from '@zos/core'
import * as v from 'valibot'
import { parseRange } from './route.js'

/** Blocks in a folder of the machine that builds, which something else carries to the nodes or serves to them. */
export interface FolderStore {
  /** Below the project root, or absolute. */
  readonly path: string
  /** Where nodes find the same blocks: `dir:///PATH` of the node, `http://HOST:PORT/PATH`, `s3://…` with read keys. */
  readonly route: string
  /** First bytes of the ids that it has, in hexadecimal: `00-7f`. Default: all. */
  readonly range?: string
}

/** Blocks in a bucket: `bucket.blocks` of `@zos/s3`, whose options say where it is and how nodes read it. */
export interface BucketStore {
  readonly bucket: Ref
  /** First bytes of the ids that it has, in hexadecimal: `00-7f`. Default: all. */
  readonly range?: string
}

export type StoreOption = FolderStore | BucketStore

/** What becomes a flist. */
export interface FlistOptions {
  /** The kernel's modules: `linux.modules`, `/lib/modules/RELEASE` with all of them. */
  readonly modules?: Ref
  /**
   * Modules that the image has itself: `linux.imageModules`. They are left out of the flist, whose target then is an
   * overlay: the image's modules below, the flist's above, with a `modules.dep` that covers both. Wants `mount: 'overlay'`.
   */
  readonly besides?: Ref
  /** A tree with `/lib/firmware`: `base.tree(['firmware-linux-free'])`. */
  readonly firmware?: Ref
}

export interface RfsOptions {
  readonly flists: FlistOptions
  /**
   * Where blocks are written when the build is published, and where nodes read them: the blocks of an `s3({ … })`, a folder,
   * or several of them with ranges that cover `00-ff`; two for one range are replicas. Default: blocks stay in the store
   * of zos, and the flists name no place.
   */
  readonly store?: Ref | StoreOption | readonly StoreOption[]
  /**
   * How the node shows a flist. `overlay` (default): above what the image has at the same place. `replace`: instead of it.
   * `none`: the image gets neither flists nor units.
   */
  readonly mount?: 'overlay' | 'replace' | 'none'
  /**
   * Folder of the project, laid out as `/lib/firmware`, that takes the place of `flists.firmware` where there is one.
   * Default: `firmware`.
   */
  readonly firmwareFolder?: string
  /** Name of the firmware's flist: `firmware-TAG.fl`. Variable: FIRMWARE_TAG. Default: the build's date, YYYYMMDD. */
  readonly firmwareTag?: string
  /** Program of the node that mounts flists. Default: `/usr/bin/rfs`. */
  readonly program?: string
  /** Units that the mounts come after. Default: `['network', 'stage2-modules']`, as far as the image has them. */
  readonly after?: readonly string[]
  /** Seconds that a node waits for a network, and then for a mount. Default: 60. */
  readonly limit?: number
}

const range = v.exactOptional(
  v.pipe(
    v.string(),
    v.check((text) => parseRange(text) !== undefined, 'expected two bytes in hexadecimal: 00-7f'),
  ),
)
const folderStore = v.strictObject({ path: v.string(), route: v.string(), range })
const bucketStore = v.strictObject({ bucket: refOption, range })
const storeOption = v.union(
  [folderStore, bucketStore],
  "expected { bucket: store.blocks } or { path: '…', route: '…' }",
)

export const rfsOptions: v.GenericSchema<RfsOptions> = v.pipe(
  v.strictObject({
    flists: v.strictObject({
      modules: v.exactOptional(refOption),
      besides: v.exactOptional(refOption),
      firmware: v.exactOptional(refOption),
    }),
    store: v.exactOptional(v.union([refOption, storeOption, v.array(storeOption)])),
    mount: v.exactOptional(v.picklist(['overlay', 'replace', 'none'])),
    firmwareFolder: v.exactOptional(v.pipe(v.string(), v.nonEmpty('expected a folder of the project'))),
    firmwareTag: v.exactOptional(
      v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, 'expected letters, digits, . _ + and -')),
    ),
    program: v.exactOptional(v.pipe(v.string(), v.regex(/^\/[A-Za-z0-9/._-]+$/, 'expected an absolute path'))),
    after: v.exactOptional(v.array(v.string())),
    limit: v.exactOptional(v.pipe(v.number(), v.integer('expected whole seconds'), v.minValue(1), v.maxValue(3600))),
  }),
  v.check(
    ({ flists }) => flists.besides === undefined || flists.modules !== undefined,
    'flists.besides is for a flist of modules: name flists.modules too',
  ),
  v.check(
    ({ flists, mount = 'overlay' }) => flists.besides === undefined || mount !== 'replace',
    "flists.besides leaves modules out of the flist: the image's would be hidden; expected mount: 'overlay'",
  ),
)
