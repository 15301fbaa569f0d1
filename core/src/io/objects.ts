import { resolve } from 'node:path'
import { hideSecret } from '../error.js'
import type { ObjectLocation, ObjectStore } from '../model/object-store.js'
import type { BucketOptions } from './object-bucket.js'

/** Opens a folder or bucket; the S3 client is loaded for a bucket alone. Its keys are masked from now on. `root`: of the project. */
export const openObjects = async (
  root: string,
  location: ObjectLocation,
  signal: AbortSignal,
  options?: BucketOptions,
): Promise<ObjectStore> => {
  if (location.kind === 'dir') {
    const { openFolder } = await import('./object-folder.js')
    return openFolder({ kind: 'dir', path: resolve(root, location.path) }, signal)
  }
  hideSecret(location.secretKey)
  hideSecret(location.accessKey)
  return (await import('./object-bucket.js')).openBucket(location, signal, options)
}
