import type { FetchContext, Settings } from './context.js'
import type { BlobReader, BlobWriter } from './model/blobs.js'
import type { Json } from './model/canonical.js'
import type { Blob, TreeRecord } from './model/entry.js'
import type { Manifest } from './model/manifest.js'
import type { ObjectLocation, ObjectStore } from './model/object-store.js'

/** An option of a command: `--name VALUE`, or `--name` for a boolean. */
export interface CommandOption {
  readonly type: 'boolean' | 'string' | 'number'
  /** One letter, for `-m FILE`. */
  readonly short?: string
  /** May be given several times; the values come as a list. */
  readonly multiple?: boolean
  /** Stands for the value in `--help`. */
  readonly value?: string
  /** What a text option means that is given without a value; its value then has to follow after `=`. */
  readonly bare?: string
  readonly help: string
}

/** A command that a plugin adds to the CLI; its module's default export, loaded when the command is called. */
export interface CommandDefinition {
  readonly summary: string
  /** Positional arguments as shown by `--help`: `[IMAGE]`. */
  readonly arguments?: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** Lines that work as they stand, for `--help`. */
  readonly examples: readonly string[]
  run(ctx: CommandContext): Promise<number>
}

/** A process that a command started; it dies with the command. */
export interface CommandProcess {
  /** Settles with the exit code; a signal counts as 128 and its number. */
  readonly exit: Promise<number>
  /** Writes to its standard input. */
  write(data: Uint8Array | string): void
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** A file that is being read, and what the disk says of it. */
export interface HostFile {
  /** As its record says: below the folder, with a slash in front. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Changes whenever the file does; `undefined` for one so young that another change might not show. */
  readonly stamp: string | undefined
}

/** A record of a folder with its time of last change, in whole seconds since 1970. */
export type HostRecord = TreeRecord & { readonly mtime: number }

/** What a lock pins, and for whom. */
export interface CommandLock {
  /** Path below the current folder. */
  readonly file: string
  /** Plugins of the config made by the factory of this name, with their options. */
  plugins(name: string): readonly { readonly id: string; readonly options: unknown }[]
  /** The answer of a plugin's entry. */
  pin(plugin: string, name: string): Json | undefined
}

/** What a command gets: its arguments, the last build, and the host. */
export interface CommandContext {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  /** Settings of the config; only for commands that say they need one. */
  readonly settings: Settings
  /** Folder of the project's outputs, absolute: `dist/quickstart`. */
  readonly outputFolder: string
  /** Manifest of the last build of this config; `undefined` where there is none. */
  manifest(): Promise<Manifest | undefined>
  readonly json: boolean
  readonly isTerminal: boolean
  readonly signal: AbortSignal
  out(text: string): void
  err(text: string): void
  /** Bytes for standard output; settles once they are on their way. */
  write(bytes: Uint8Array): Promise<void>
  /** Milliseconds since 1970. */
  now(): number
  env(name: string): string | undefined
  /** Plugins of the config made by the factory of this name, with their options; only for commands that need a config. */
  plugins(name: string): readonly { readonly id: string; readonly options: unknown }[]
  /** The lock of the config; `undefined` where there is none. For commands that need no config it is loaded now. */
  lock(): Promise<CommandLock | undefined>
  /**
   * Runs something with the network and the project's store, as fetchers have them: what was downloaded and parsed is
   * there the next time. Outside of projects it is the user's cache.
   */
  fetching<T>(run: (ctx: FetchContext) => Promise<T>): Promise<T>
  /** Opens a secret option; `SECRET_MISSING` where its variable is not set. */
  secret(value: unknown): string
  /** A file of the project by path below its root; `undefined` where it is missing. */
  projectText(path: string): Promise<string | undefined>
  /** Opens a folder or an S3 bucket; its keys are masked in all that is said from now on. */
  objects(location: ObjectLocation): Promise<ObjectStore>
  /** Host files by absolute path. */
  readonly files: {
    exists(path: string): Promise<boolean>
    text(path: string): Promise<string | undefined>
    /** Names in a folder, sorted; none where it is missing. */
    list(path: string): Promise<readonly string[]>
    copy(from: string, to: string): Promise<void>
    remove(path: string): Promise<void>
    makeFolder(path: string): Promise<void>
    write(path: string, content: string | Uint8Array): Promise<void>
    append(path: string, content: Uint8Array): Promise<void>
    /** The whole file; `undefined` where there is none. More than `limit` bytes are `FILE_SIZE`. */
    bytes(path: string, limit: number): Promise<Uint8Array | undefined>
    /** Puts a whole file in the place of what was there, in one step. */
    replace(path: string, content: Uint8Array): Promise<void>
    /**
     * Reads a folder, owners and hard links included, in the order of a tree's records; contents go to `contents`, save
     * those that `known` has. The folder itself is the first record. Errors as `FOLDER_*`.
     */
    readFolder(
      path: string,
      contents: BlobWriter,
      known?: (file: HostFile) => Promise<Blob | undefined>,
    ): Promise<readonly HostRecord[]>
    /** Writes records into an empty or new folder, without owners; gives the paths of devices, which are left out. */
    writeFolder(
      path: string,
      records: Iterable<TreeRecord>,
      contents: BlobReader,
      epoch: number,
    ): Promise<readonly string[]>
  }
  /** Plain data that a command finds again in its next run, kept in the store. It may be lost at any time. */
  readonly memory: {
    get(name: string, input: Json): Promise<Json | undefined>
    set(name: string, input: Json, value: Json): Promise<void>
  }
  /** Runs a program to its end; gives what it printed. */
  run(command: { file: string; args: readonly string[] }): Promise<{ exitCode: number; stdout: string; stderr: string }>
  /** Starts a program; `onOutput` gets its standard output as it comes. With `terminal`, keys go to it raw. */
  spawn(
    command: { file: string; args: readonly string[] },
    options: { onOutput(chunk: Uint8Array): void; onError(chunk: Uint8Array): void; terminal?: boolean },
  ): CommandProcess
  /** A free TCP port of the loopback interface, `preferred` if it is free. */
  freePort(preferred: number): Promise<number>
}
