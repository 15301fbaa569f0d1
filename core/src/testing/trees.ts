// Trees from plain objects, and what differs between two, as lines.
import type { Entry, TreeRecord } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { MemoryBlobs } from './memory-blobs.js'

/**
 * A tree in a few words, by path: text or bytes of a file (mode 0644), `{ content, mode }`, `{ link }` for a symbolic
 * link, `{ directory: mode }`.
 */
export type TreeContent = Readonly<
  Record<
    string,
    | string
    | Uint8Array
    | { readonly content: string | Uint8Array; readonly mode?: number; readonly plugin?: string }
    | { readonly link: string }
    | { readonly directory: number }
  >
>

const owner = { uid: 0, gid: 0 }

/** The tree; contents go to `blobs`. Paths may stand without the first slash. */
export const treeOf = (content: TreeContent, blobs: MemoryBlobs): FileTree =>
  FileTree.from(
    Object.entries(content).map(([name, given]): TreeRecord => {
      const path = name.startsWith('/') ? name : `/${name}`
      if (typeof given === 'string' || given instanceof Uint8Array)
        return { kind: 'file', path, mode: 0o644, ...owner, blob: blobs.add(given) }
      if ('link' in given) return { kind: 'symlink', path, mode: 0o777, ...owner, target: given.link }
      if ('directory' in given) return { kind: 'directory', path, mode: given.directory, ...owner }
      const { content: bytes, mode = 0o644, plugin } = given
      return { kind: 'file', path, mode, ...owner, blob: blobs.add(bytes), ...(plugin && { origin: { plugin } }) }
    }),
  )

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

/** `file 0644`, `link to ../init`, `directory 0755`: an owner other than root comes after it. */
const described = (entry: Entry): string => {
  const by = entry.uid === 0 && entry.gid === 0 ? '' : ` ${entry.uid}:${entry.gid}`
  if (entry.kind === 'symlink') return `link to ${entry.target}${by}`
  if (entry.kind === 'character' || entry.kind === 'block')
    return `${entry.kind} device ${entry.major}:${entry.minor} ${octal(entry.mode)}${by}`
  return `${entry.kind} ${octal(entry.mode)}${by}`
}

/**
 * What differs, a line a record, in the order of paths: `+ /etc/motd file 0644`, `- /etc/issue`, `~ /bin/a content`.
 * Directories that only hold what is new or gone are left out.
 */
export const treeChanges = (before: FileTree, after: FileTree): string[] =>
  [...before.diff(after)].flatMap(({ path, before: old, after: now }) => {
    if ((old ?? now)?.kind === 'directory' && !(old && now)) {
      const attributes = (now ?? old)!
      return attributes.mode === 0o755 && attributes.uid === 0 && attributes.gid === 0
        ? []
        : [`${now ? '+' : '-'} ${path} ${described(attributes)}`]
    }
    if (!old) return [`+ ${path} ${described(now!)}`]
    if (!now) return [`- ${path}`]
    const same = described(old) === described(now)
    return [`~ ${path} ${same ? 'content' : `${described(old)} → ${described(now)}`}`]
  })
