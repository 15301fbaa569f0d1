import type { Blob } from './entry.js'
import type { Toolchain } from './toolchain.js'
import type { FileTree } from './tree.js'

/** The working folder of every action, in every sandbox: no host path gets into what is built. */
export const actionFolder = '/build'

/**
 * An external command as data. Its key is this data alone, shaped as Command, input root and platform of the Remote
 * Execution API: not the plugin, not the name, not who runs it.
 */
export interface Action {
  /** Shown to people and used for the log's name; not in the key. */
  readonly name: string
  /** argv; the program is looked up on the toolchain's PATH. */
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Trees and files by path below the working folder (`src`, `vendor`, `patches/0.patch`); an executable file is a tree. */
  readonly inputs: Readonly<Record<string, FileTree | Blob>>
  /** Paths below the working folder that are kept; one that is missing afterwards is an error. */
  readonly outputs: readonly string[]
  /** Folder below the working folder in which the command starts. */
  readonly cwd?: string
  readonly toolchain: Toolchain
  /**
   * A pattern (regular expression) of the output's lines that stand for one unit of work each; not in the key. Progress
   * shows how many there were, of how many the last run had.
   */
  readonly unit?: string
}

/** What an action left: one tree with the outputs at their paths, owned by root, and the end of what it printed. */
export interface ActionResult {
  readonly tree: FileTree
  readonly stdout: string
}
