import type { Settings } from './context.js'
import type { Manifest } from './model/manifest.js'
import type { ObjectLocation, ObjectStore } from './model/object-store.js'

/** An option of a command: `--name VALUE`, or `--name` for a boolean. */
export interface CommandOption {
  readonly type: 'boolean' | 'string' | 'number'
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

/** What a command gets: its arguments, the last build, and the host. */
export interface CommandContext {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, string | number | boolean | undefined>>
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
  now(): number
  env(name: string): string | undefined
  /** Plugins of the config made by the factory of this name, with their options; only for commands that need a config. */
  plugins(name: string): readonly { readonly id: string; readonly options: unknown }[]
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
    copy(from: string, to: string): Promise<void>
    remove(path: string): Promise<void>
    makeFolder(path: string): Promise<void>
    write(path: string, content: string | Uint8Array): Promise<void>
    append(path: string, content: Uint8Array): Promise<void>
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
