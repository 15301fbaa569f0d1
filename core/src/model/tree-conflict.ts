import { ZosError } from '../error.js'
import type { Entry, Origin } from './entry.js'

/** `plugin/package`, or `plugin` where no package is involved. */
export const ownerOf = (origin: Origin | undefined): string => {
  if (origin === undefined) return 'an unnamed owner'
  return origin.package === undefined ? origin.plugin : `${origin.plugin}/${origin.package}`
}

const describe = (entry: Entry): string => {
  const mode = entry.mode.toString(8).padStart(4, '0')
  const attributes = `${mode} ${entry.uid}:${entry.gid}${entry.xattrs ? ' with extended attributes' : ''}`
  switch (entry.kind) {
    case 'file':
      return `file of ${entry.blob.size} bytes (${entry.blob.sha256.slice(0, 12)}), ${attributes}`
    case 'symlink':
      return `symbolic link to ${entry.target}, ${attributes}`
    case 'character':
    case 'block':
      return `${entry.kind} device ${entry.major}:${entry.minor}, ${attributes}`
    default:
      return `${entry.kind}, ${attributes}`
  }
}

const data = (path: string, before: Entry, after: Entry) => ({
  path,
  owners: [ownerOf(before.origin), ownerOf(after.origin)],
})

/** Two owners of one path, where no rule says which wins. */
export const conflict = (path: string, before: Entry, after: Entry): ZosError => {
  const [first, second] = [ownerOf(before.origin), ownerOf(after.origin)]
  const rivals = first !== second && before.origin !== undefined
  const who = rivals ? `both ${first} and ${second}` : `${first} twice, not alike`
  const message = `${path} is put by ${who}\n${first}: ${describe(before)}\n${second}: ${describe(after)}`
  return new ZosError('TREE_CONFLICT', message, {
    subject: path,
    hint: rivals
      ? `leave it out of one of the two, or let the later replace it: delta({ over: ['${first}'] })`
      : 'keep one of the two records',
    data: data(path, before, after),
  })
}

/** A directory in the place of something else, or the reverse: never replaced silently. */
export const otherKind = (path: string, before: Entry, after: Entry): ZosError => {
  const [first, second] = [ownerOf(before.origin), ownerOf(after.origin)]
  return new ZosError(
    'TREE_KIND',
    `${path} is a ${before.kind} of ${first}, and ${second} puts a ${after.kind} in its place`,
    {
      subject: path,
      hint: `a directory and something else never replace each other: remove('${path}') first, or put it elsewhere`,
      data: data(path, before, after),
    },
  )
}
