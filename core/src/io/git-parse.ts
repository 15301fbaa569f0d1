import { ExitCode, ZosError } from '../error.js'

/** SHA-1 object name as 40 hex digits. Repositories of SHA-256 objects are not supported. */
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

export interface TreeEntry {
  /** Octal, as git writes it: 100644, 100755, 120000, 160000, 040000. */
  readonly mode: string
  readonly oid: string
  readonly path: string
}

const malformed = (what: string, line: string): ZosError =>
  new ZosError('GIT_OUTPUT', `git ${what} gave '${line.slice(0, 80)}', which is not understood`, {
    exit: ExitCode.fetch,
  })

/** Lines `OID TAB NAME` of git-ls-remote(1). */
export const parseLsRemote = (text: string): ReadonlyMap<string, string> => {
  const refs = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, oid, name] = /^([0-9a-f]{40})\t(.+)$/.exec(line) ?? []
    if (oid === undefined || name === undefined) throw malformed('ls-remote', line)
    refs.set(name, oid)
  }
  return refs
}

/** Records `MODE SP TYPE SP OID TAB PATH NUL` of git-ls-tree(1) with -z. */
export const parseLsTree = (text: string): readonly TreeEntry[] =>
  text
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const [, mode, oid, path] = /^(\d{6}) \w+ ([0-9a-f]{40})\t(.+)$/s.exec(record) ?? []
      if (mode === undefined || oid === undefined || path === undefined) throw malformed('ls-tree', record)
      return { mode, oid, path }
    })

export interface Submodule {
  readonly path: string
  readonly url: string
  /** What `update =` says; `none` means that it is not wanted. */
  readonly update: string | undefined
}

/** Submodules by path from `.gitmodules`, given as git-config(1) lists it with -z: `KEY LF VALUE NUL`. */
export const parseGitmodules = (text: string): ReadonlyMap<string, Submodule> => {
  const modules = new Map<string, Map<string, string>>()
  for (const record of text.split('\0')) {
    const [, name, key, value] = /^submodule\.(.+)\.(path|url|update)\n(.*)$/s.exec(record) ?? []
    if (name === undefined || key === undefined || value === undefined) continue
    const values = modules.get(name) ?? new Map<string, string>()
    modules.set(name, values.set(key, value))
  }
  const byPath = new Map<string, Submodule>()
  for (const values of modules.values()) {
    const [path, url] = [values.get('path'), values.get('url')]
    if (path !== undefined && url !== undefined) byPath.set(path, { path, url, update: values.get('update') })
  }
  return byPath
}

export interface GitObject {
  readonly oid: string
  readonly type: 'commit' | 'tree' | 'tag' | 'blob'
  readonly data: Buffer
}

/** Records `OID SP TYPE SP SIZE LF CONTENT LF` of git-cat-file(1) with --batch. */
export const parseBatch = (output: Buffer): readonly GitObject[] => {
  const objects: GitObject[] = []
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(10, at)
    const head = output.toString('latin1', at, end < 0 ? output.length : end)
    const [, oid, type, size] = /^([0-9a-f]{40}) (commit|tree|tag|blob) (\d+)$/.exec(head) ?? []
    if (oid === undefined || size === undefined) throw malformed('cat-file', head)
    const data = output.subarray(end + 1, end + 1 + Number(size))
    if (data.length !== Number(size)) throw malformed('cat-file', `${head} (cut)`)
    objects.push({ oid, type: type as GitObject['type'], data })
    at = end + 2 + Number(size)
  }
  return objects
}
