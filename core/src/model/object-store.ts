// Where published things lie, and where blocks and mirrors come from: objects by key, in a folder or an S3 bucket.
import type { BlobReader } from './blobs.js'
import type { Blob } from './entry.js'

/** A folder of this machine. */
export interface FolderLocation {
  readonly kind: 'dir'
  /** Absolute, or below the project root; made when the first object comes. */
  readonly path: string
}

/** A bucket of a server that speaks S3, always addressed by path (`http://host:port/bucket/key`). */
export interface BucketLocation {
  readonly kind: 's3'
  /** HTTPS: `s3s://`; else HTTP: `s3://`. */
  readonly tls: boolean
  readonly host: string
  readonly port: number
  readonly bucket: string
  /** Put before every key, without slashes at its ends; may be empty. */
  readonly prefix: string
  readonly region: string
  /** Both keys, or neither: then requests are not signed. */
  readonly accessKey?: string
  readonly secretKey?: string
}

export type ObjectLocation = FolderLocation | BucketLocation

/** What a store says of one object. */
export interface ObjectInfo {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Changes with every write; only for comparison. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
}

/** Content of an object: bytes, or a blob and who can read it. A blob is streamed, and read again for every try. */
export type ObjectContent = string | Uint8Array | { readonly blob: Blob; readonly reader: BlobReader }

export interface PutOptions {
  /** Only where no object has the key; else `OBJECT_CHANGED`. */
  readonly ifAbsent?: boolean
  /** Only where the object is still this one; else `OBJECT_CHANGED`. */
  readonly ifMatch?: string
  readonly contentType?: string
  /** `false`: a folder need not have it on the disk yet when this returns; for what is checked again and can be sent again. */
  readonly durable?: boolean
}

/**
 * Objects by key. Keys are relative paths with `/`, without `.`, `..` and empty parts, at most 1,024 bytes. Every request
 * has a time limit, and is tried again where that can help; at most 16 run at once.
 *
 * Errors: `OBJECTS_UNREACHABLE`, `OBJECTS_SERVER` (5xx), `OBJECTS_CREDENTIALS`, `OBJECTS_DENIED` (403), `OBJECTS_CLOCK`,
 * `OBJECTS_BUCKET` (no such bucket), `OBJECTS_REGION`, `OBJECTS_FULL`, `OBJECTS_FOLDER`; none of them shows a credential.
 */
export interface ObjectStore {
  /** The address of a key as it may be shown: no credentials. */
  url(key?: string): string
  /** Writes a whole object or nothing. A conditional write that came too late is `OBJECT_CHANGED`. */
  put(key: string, content: ObjectContent, options?: PutOptions): Promise<{ readonly etag: string }>
  /** Content as chunks, taken up where a connection was cut. Nothing there: `OBJECT_MISSING`; more than `limit` bytes: `OBJECT_SIZE`. */
  get(key: string, options: { readonly limit: number }): AsyncIterable<Uint8Array>
  /** The whole content of a small object, with its etag; `undefined` where there is none. */
  read(
    key: string,
    options: { readonly limit: number },
  ): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** All objects whose key starts with `prefix`, by key. Keys come without the location's own prefix. */
  list(prefix?: string): AsyncIterable<ObjectInfo>
  /** Removes an object; that there is none is no error. */
  remove(key: string): Promise<void>
  /** Closes connections that are kept open. */
  close(): void
}
