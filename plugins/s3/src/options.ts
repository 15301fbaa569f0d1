import { type Secret, secretOption } from '@zos/core'
import * as v from 'valibot'

/** Which files are signed, and how long that holds. */
export interface SignOptions {
  /** Variable that holds the private Ed25519 key, as PEM. */
  readonly key: Secret
  /** Days after which nodes and `zos verify` refuse the manifest; 0: never. Default 365. */
  readonly days?: number
}

/** What buckets and folders have in common. */
export interface PlaceOptions {
  /** Folder of the kernels below the prefix. Default: KERNEL_SUBPATH, else `kernel`. */
  readonly kernels?: string
  /** Folder of the flists below the prefix. Default: MANIFESTS_SUBPATH, else `manifests`. */
  readonly manifests?: string
  /** Signs what is published. Default: nothing is signed. */
  readonly sign?: SignOptions
  /** Public key as a PEM file of the project: the image checks flists that did not come with it. Default: no check. */
  readonly trust?: string
}

/** A bucket. Every value that is left out comes from `config`; variables come before both. */
export interface S3Options extends PlaceOptions {
  /** A classic `rfs.conf` (`KEY=value`). That it is missing is an error only when something is published. */
  readonly config?: string
  /** `http://HOST:PORT` or `https://HOST:PORT`. Variable: S3_ENDPOINT. */
  readonly endpoint?: string
  /** Variable: S3_REGION. Default `us-east-1`. */
  readonly region?: string
  /** Variable: S3_BUCKET. */
  readonly bucket?: string
  /** Put before every key; may be empty. Variable: S3_PREFIX. */
  readonly prefix?: string
  /** Of the user that writes. Default: the variable S3_ACCESS_KEY. */
  readonly accessKey?: Secret
  /** Default: the variable S3_SECRET_KEY. */
  readonly secretKey?: Secret
  /** Where nodes read blocks; what a flist carries. */
  readonly route?: {
    /** Variable: ROUTE_ENDPOINT. Default: the endpoint. */
    readonly endpoint?: string
    /** Bucket and prefix as a path. Variable: ROUTE_PATH. Default `/blobs`. */
    readonly path?: string
    /** Variable: ROUTE_REGION. Default `garage`. */
    readonly region?: string
  }
}

export interface FolderOptions extends PlaceOptions {
  /** Below the project root, or absolute; made when the first file comes. */
  readonly path: string
}

const subpath = v.pipe(
  v.string(),
  v.check(
    (text) => text.split('/').every((part) => part !== '.' && part !== '..'),
    'expected a path without "." and ".."',
  ),
)

const place = {
  kernels: v.exactOptional(subpath),
  manifests: v.exactOptional(subpath),
  sign: v.exactOptional(
    v.strictObject({
      key: secretOption,
      days: v.exactOptional(v.pipe(v.number(), v.integer('expected whole days'), v.minValue(0, 'expected 0 or more'))),
    }),
  ),
  trust: v.exactOptional(v.string()),
}

export const s3Options: v.GenericSchema<S3Options> = v.strictObject({
  ...place,
  config: v.exactOptional(v.string()),
  endpoint: v.exactOptional(v.string()),
  region: v.exactOptional(v.string()),
  bucket: v.exactOptional(v.string()),
  prefix: v.exactOptional(subpath),
  accessKey: v.exactOptional(secretOption),
  secretKey: v.exactOptional(secretOption),
  route: v.exactOptional(
    v.strictObject({
      endpoint: v.exactOptional(v.string()),
      path: v.exactOptional(v.string()),
      region: v.exactOptional(v.string()),
    }),
  ),
})

export const folderOptions: v.GenericSchema<FolderOptions> = v.strictObject({ ...place, path: v.string() })
