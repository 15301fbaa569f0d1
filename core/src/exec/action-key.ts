import type { Action } from '../model/action.js'
import { digestOf } from '../model/canonical.js'
import { FileTree } from '../model/tree.js'

/** A tree as actions see it: path, executable bit, link, content; owners and modes of the image are not their business. */
export const plainTree = (tree: FileTree): FileTree =>
  FileTree.from(
    Array.from(tree.records(), (record) => {
      const { xattrs: _, origin: __, ...rest } = record
      const mode = record.kind === 'directory' || (record.kind === 'file' && record.mode & 0o111) ? 0o755 : 0o644
      return { ...rest, mode: record.kind === 'symlink' ? 0o777 : mode, uid: 0, gid: 0 }
    }),
  )

/** The input root of an action as one tree. */
export const inputRoot = ({ inputs }: Action): FileTree => {
  let root = FileTree.empty
  for (const [path, input] of Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = `/${path}`
    if (input instanceof FileTree) root = path === '' ? plainTree(input) : root.mount(at, plainTree(input))
    else {
      const file = FileTree.from([{ path: at, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: input }])
      root = FileTree.from([...root.records(), ...file.records()])
    }
  }
  return root
}

/** The key of an action: the digest of its data. */
export const actionKey = (action: Action, input: FileTree, executor: string): string =>
  digestOf({
    version: 1,
    command: action.command,
    env: action.env ?? {},
    cwd: action.cwd ?? '',
    outputs: [...action.outputs].sort(),
    input: input.digest,
    platform: action.toolchain.identity,
    // What the bare host made is never taken for what a sandbox makes.
    ...(executor === 'host' && { unsandboxed: true }),
  })
