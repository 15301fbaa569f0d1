import { hideSecret } from '../error.js'
import type { ObjectLocation, ObjectStore } from '../model/object-store.js'
import type { BucketOptions } from './object-bucket.js'

/** Opens a folder or bucket; the S3 client is loaded for a bucket alone. Its keys are masked from now on. */
export const openObjects = async (
  location: ObjectLocation,
  signal: AbortSignal,
  options?: BucketOptions,
): Promise<ObjectStore> => {
  if (location.kind === 'dir') return (await import('./object-folder.js')).openFolder(location, signal)
  hideSecret(location.secretKey)
  hideSecret(location.accessKey)
  return (await import('./object-bucket.js')).openBucket(location, signal, options)
}
