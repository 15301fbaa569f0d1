// Capsules of actions, written when one fails.
import { readFile, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Session } from '../engine/session.js'
import { storeTree } from '../engine/stored-artifact.js'
import { redact } from '../error.js'
import type { Action } from '../model/action.js'
import { type Capsule, logLimit, quoted } from '../model/capsule.js'
import type { FileTree } from '../model/tree.js'
import { specOf } from './toolchain.js'

export const capsuleOf = async (
  { config, store, flags }: Session,
  step: string,
  action: Action,
  input: FileTree,
  key: string,
): Promise<Capsule> => ({
  version: 1,
  config: config.name,
  step,
  name: action.name,
  key,
  executor: flags.executor,
  command: action.command,
  env: action.env ?? {},
  cwd: action.cwd ?? '',
  outputs: action.outputs,
  input: { ...(await storeTree(store, input)), count: input.count },
  toolchain: {
    identity: action.toolchain.identity,
    title: action.toolchain.title,
    folders: action.toolchain.folders,
    spec: specOf(action.toolchain),
    ...(action.toolchain.root && { root: await storeTree(store, action.toolchain.root) }),
  },
})

export const saveCapsule = async (file: string, capsule: Capsule, message: string, log: string): Promise<void> => {
  const text = await readFile(log, 'utf8').catch(() => '')
  const failure = { message: redact(message), log: text.slice(-logLimit) }
  await writeFile(file, `${JSON.stringify({ ...capsule, failure } satisfies Capsule, undefined, 2)}\n`)
}

/** The command line that opens a shell in a step's sandbox. */
export const shellCommand = ({ config }: Session, step: string): string => {
  const file = relative(config.root, config.file)
  return ['zos', 'shell', quoted(step), ...(file === 'zos.config.ts' ? [] : ['-c', quoted(file)])].join(' ')
}
