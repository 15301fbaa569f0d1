// A tree as a toolchain: the root file system that commands run in, made by a plugin of the same config.
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { digestOf } from '../model/canonical.js'
import type { HostToolchainSpec, Toolchain } from '../model/toolchain.js'
import type { FileTree } from '../model/tree.js'
import { placeInFolders } from './identity.js'

/** As in every sandbox. */
const searched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

const programIn = (tree: FileTree, tool: string): string | undefined =>
  (tool.startsWith('/') ? [tool] : searched.map((folder) => `${folder}/${tool}`)).find((path) => {
    const target = tree.resolve(path)
    const entry = target === undefined ? undefined : tree.get(target)
    return entry?.kind === 'file' && (entry.mode & 0o111) !== 0
  })

/**
 * The identity of a tree, and of the host's folders that are shown in it, as a toolchain. Which of its programs are used
 * is no part of it. `root`: the tree's digest.
 */
export const treeIdentity = async (
  root: string,
  { folders = {} }: HostToolchainSpec,
  digest: (path: string) => Promise<string>,
): Promise<string> => {
  const files: Record<string, string> = {}
  for (const [to, { from, identity }] of Object.entries(folders))
    for (const file of identity) files[`${to}/${file}`] = await digest(join(from, file))
  return digestOf({ root, files, folders: Object.keys(folders).sort() })
}

/** `title`: the reference that made the tree, `tools/root`. A program that it has not is `TOOLCHAIN_TOOL`. */
export const treeToolchain = async (
  tree: FileTree,
  title: string,
  spec: HostToolchainSpec,
  digest: (path: string) => Promise<string>,
): Promise<Toolchain> => {
  const folders = spec.folders ?? {}
  const tools: Record<string, string> = {}
  for (const tool of [...new Set(spec.tools)].sort()) {
    const place =
      programIn(tree, tool) ??
      (tool.startsWith('/') ? placeInFolders(await realpath(tool).catch(() => tool), folders) : undefined)
    if (place === undefined)
      throw new ZosError('TOOLCHAIN_TOOL', `the toolchain ${title} has no program ${tool}`, {
        exit: ExitCode.config,
        hint: `add the package that brings ${tool} to the packages of ${title.split('/')[0]}`,
        data: { tool },
      })
    tools[tool] = place
  }
  return {
    identity: await treeIdentity(tree.digest, spec, digest),
    title: `${title} ${tree.digest.slice(0, 12)}`,
    tools,
    folders: Object.fromEntries(Object.entries(folders).map(([to, { from }]) => [to, from])),
    root: tree,
  }
}
