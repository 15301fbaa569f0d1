import type { BlobWriter } from '../model/blobs.js'
import type { Blob, Origin, TreeRecord } from '../model/entry.js'
import { quote } from '../model/tree-path.js'
import { type PathRules, treePath } from './archive-path.js'
import type { MemberContent } from './byte-reader.js'
import { InFlight } from './in-flight.js'
import type { TarFail, TarHeader } from './tar-header.js'
import { readTar, type TarReadOptions, tarFailure } from './tar-read.js'

export interface TarTreeOptions extends TarReadOptions, PathRules {
  /** Put on every record. */
  readonly origin?: Origin
  /** Device nodes: records like any other (the default), or `TAR_DEVICE`. */
  readonly devices?: 'keep' | 'refuse'
  /** Gets every header with its path in the tree: what records do not hold, such as names of owners and PAX records. */
  readonly onHeader?: (path: string, header: TarHeader) => void
}

/** A file as its hard links share it; `blob` is there once the store has taken the content. */
interface SharedFile {
  readonly paths: Set<string>
  readonly header: TarHeader
  blob: Blob | undefined
}

type Found = { readonly file: SharedFile } | { readonly record: TreeRecord }

/** Files up to here are put from memory, several at once; larger ones as a stream, one at a time. */
const smallBytes = 1024 ** 2
const putting = { tasks: 16, cost: 32 * 1024 ** 2 }

/**
 * Reads a plain tar archive into records in the archive's order, and its files into the store. A later entry of the
 * same path takes the earlier one's place, as extracting does. The root itself is no record. Beyond what `readTar`
 * throws: `TAR_PATH`, `TAR_LINK`, `TAR_DEVICE`, `TAR_CONFLICT`.
 */
export const readTarTree = async (
  chunks: AsyncIterable<Uint8Array>,
  blobs: BlobWriter,
  options: TarTreeOptions = {},
): Promise<TreeRecord[]> => {
  const { name = 'tar archive', devices = 'keep' } = options
  const puts = new InFlight(putting)
  const tree = new Map<string, Found>()
  try {
    for await (const { header, content } of readTar(chunks, options)) {
      const where = tarFailure(name, header.offset)
      const fail: TarFail = (code, problem, hint) => where(code, `entry ${quote(header.path)}: ${problem}`, hint)
      const path = pathOf(header.path, 'has', options, fail)
      if (path === '/') continue
      options.onHeader?.(path, header)
      if (devices === 'refuse' && (header.kind === 'character' || header.kind === 'block')) {
        throw fail('TAR_DEVICE', `is a ${header.kind} device; expected none here`)
      }
      if (content) {
        const file: SharedFile = { paths: new Set([path]), header, blob: undefined }
        place(tree, path, { file }, fail)
        await put(file, content, blobs, puts)
      } else if (header.kind === 'link') {
        const target = pathOf(header.linkpath, 'is a hard link to', options, fail)
        const found = tree.get(target)
        if (!found || !('file' in found) || target === path) {
          const what = found ? (target === path ? 'itself' : `a ${kindOf(found)}`) : 'no earlier entry'
          throw fail('TAR_LINK', `is a hard link to ${quote(header.linkpath)}, ${what}; expected an earlier file`)
        }
        place(tree, path, found, fail)
        found.file.paths.add(path)
      } else place(tree, path, { record: recordOf(path, header, options.origin) }, fail)
    }
    await puts.done()
  } finally {
    await puts.settle()
  }
  return [...tree].map(([path, found]) =>
    'file' in found ? fileRecord(path, found.file, options.origin) : found.record,
  )
}

const put = async (file: SharedFile, content: MemberContent, blobs: BlobWriter, puts: InFlight): Promise<void> => {
  if (content.size > smallBytes) {
    file.blob = await blobs.put(content)
    return
  }
  const bytes = await content.bytes()
  await puts.add(bytes.length, async () => {
    file.blob = await blobs.put(bytes)
  })
}

const pathOf = (name: string, verb: string, rules: PathRules, fail: TarFail): string => {
  const path = treePath(name, rules)
  if (typeof path === 'string') return path
  const hint = name.startsWith('/') ? "absolute: 'strip' reads it as if it were relative" : undefined
  throw fail('TAR_PATH', `${verb} ${path.problem}`, hint)
}

const kindOf = (found: Found): string => ('file' in found ? 'file' : found.record.kind)

const place = (tree: Map<string, Found>, path: string, found: Found, fail: TarFail): void => {
  const earlier = tree.get(path)
  if (earlier) {
    const [was, is] = [kindOf(earlier), kindOf(found)]
    if (was !== is && (was === 'directory' || is === 'directory')) {
      throw fail('TAR_CONFLICT', `is a ${is}, and was a ${was} earlier in the archive`)
    }
    if ('file' in earlier) earlier.file.paths.delete(path)
    tree.delete(path)
  }
  tree.set(path, found)
}

const attributesOf = ({ mode, uid, gid, xattrs }: TarHeader, origin: Origin | undefined) => ({
  mode,
  uid,
  gid,
  ...(xattrs && { xattrs }),
  ...(origin && { origin }),
})

const recordOf = (path: string, header: TarHeader, origin: Origin | undefined): TreeRecord => {
  const attributes = attributesOf(header, origin)
  switch (header.kind) {
    case 'symlink':
      return { path, kind: 'symlink', target: header.linkpath, ...attributes }
    case 'character':
    case 'block':
      return { path, kind: header.kind, major: header.major, minor: header.minor, ...attributes }
    case 'directory':
    case 'fifo':
      return { path, kind: header.kind, ...attributes }
    case 'file':
    case 'link':
      throw new TypeError(`a ${header.kind} has content or a target, and is no record of its own`)
  }
}

const fileRecord = (path: string, file: SharedFile, origin: Origin | undefined): TreeRecord => {
  if (!file.blob) throw new TypeError(`${path} was never put into the store`)
  const [first] = file.paths
  const link = file.paths.size > 1 && first !== undefined ? { link: first } : {}
  return { path, kind: 'file', blob: file.blob, ...link, ...attributesOf(file.header, origin) }
}
