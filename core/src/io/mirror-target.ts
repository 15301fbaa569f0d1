import type { ObjectStore } from '../model/object-store.js'
import { parseObjectUrl } from './object-location.js'
import { openObjects } from './objects.js'

/** Opens the folder or bucket that `--mirror` names: a path, `dir:///PATH`, `s3://…` or `s3s://…`. */
export const openMirrorTarget = (target: string, cwd: string, signal: AbortSignal): Promise<ObjectStore> =>
  openObjects(cwd, /^[a-z0-9+]+:\/\//i.test(target) ? parseObjectUrl(target) : { kind: 'dir', path: target }, signal)
