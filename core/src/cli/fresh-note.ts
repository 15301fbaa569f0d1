import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Session } from '../engine/session.js'
import { stampOf } from '../io/stamp.js'
import type { Manifest } from '../model/manifest.js'
import type { Cli, OptionValues } from './command.js'
import { type FreshNote, notePath, noteText, wordsKey } from './fresh.js'

/** The command line of this process after `build`; `undefined` where its outcome may not be taken for the next one's. */
export const freshWords = (words: readonly string[], options: OptionValues): string | undefined => {
  const isWhole = ['json', 'clean', 'publish', 'force-rebuild', 'rebuild-from', 'verify-cache', 'trace'].every(
    (name) => options[name] === undefined,
  )
  return isWhole ? wordsKey(words.slice(1)) : undefined
}

/** A failed build is the last one: the next says how it went itself. */
export const forgetFresh = ({ cwd }: Cli, { store }: Session, words: string): void =>
  rmSync(notePath(dirname(store.folder), cwd, words), { force: true })

/** Notes everything that a finished build looked at, with the stamps it had then. */
export const noteFresh = ({ cwd }: Cli, session: Session, words: string, manifest: Manifest): void => {
  const { config, digests, store, env } = session
  const stamps = new Map(digests.seen)
  const now = (path: string): void => {
    stamps.set(path, stampOf(path)?.text ?? '')
  }
  now(config.lockFile)
  now(join(config.outputFolder, 'manifest.json'))
  for (const { name, aliases } of manifest.outputs)
    for (const file of [name, ...aliases]) now(join(config.outputFolder, file))
  const note: FreshNote = {
    version: 1,
    stamps: [...stamps],
    env: [...new Set([...config.variables, ...session.project.variables])].map(
      (name) => [name, env[name] ?? null] as const,
    ),
    name: config.name,
    steps: session.steps.length,
    folder: relative(cwd, config.outputFolder) || '.',
  }
  const path = notePath(dirname(store.folder), cwd, words)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, noteText(path, note))
  renameSync(`${path}.${process.pid}`, path)
}
