import type { TreeRecord } from '@zos/core'
import type { Block } from './block.js'
import { type FlistEntry, fileType, makeRdev } from './flist.js'

/** What a record of a tree becomes in a flist. `time`: seconds since 1970; `blocks`: of a file's content. */
export const entryOf = (record: TreeRecord, time: number, blocks: readonly Block[]): FlistEntry => {
  const { path, mode, uid, gid } = record
  const common = { path, uid, gid, rdev: 0, size: 0, ctime: time, mtime: time, blocks: [] }
  switch (record.kind) {
    case 'file':
      return { ...common, mode: fileType.file | mode, size: record.blob.size, blocks }
    case 'directory':
      return { ...common, mode: fileType.directory | mode }
    case 'symlink':
      // As lstat says it, and Linux gives every link these bits.
      return {
        ...common,
        mode: fileType.symlink | 0o777,
        size: Buffer.byteLength(record.target),
        target: record.target,
      }
    case 'character':
    case 'block':
      return { ...common, mode: fileType[record.kind] | mode, rdev: makeRdev(record.major, record.minor) }
    case 'fifo':
      return { ...common, mode: fileType.fifo | mode }
  }
}
