// The answer to "is anything to do?" without loading config, plugins or store: a note of the last build of the same command
// line holds the stamp of everything that it looked at. Whatever is not provably the same takes the whole way.
import { readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { projectRoot, upwards } from '../config/root.js'
import { stampOf } from '../io/stamp.js'
import { sha256 } from '../model/canonical.js'
import { timeText } from '../report/words.js'
import type { Cli } from './command.js'

/** What a build leaves for the next one. */
export interface FreshNote {
  readonly version: 1
  /** Files and folders by absolute path, with their stamps; an empty stamp means that there was nothing. */
  readonly stamps: readonly (readonly [string, string])[]
  /** Variables by name; `null` where one was not set. */
  readonly env: readonly (readonly [string, string | null])[]
  readonly name: string
  readonly steps: number
  /** Output folder as people see it. */
  readonly folder: string
}

/** Where the note of a command line lies. */
export const notePath = (store: string, cwd: string, words: string): string =>
  join(store, 'fresh', `${sha256(`${cwd}\n${words}`).slice(0, 32)}.json`)

/** A note as its file holds it: after a checksum of its place and content, so that one that was altered or moved is none. */
export const noteText = (path: string, note: FreshNote): string => {
  const text = JSON.stringify(note)
  return `${sha256(`${basename(path)}\n${text}`)}\n${text}`
}

const parseNote = (path: string, text: string): FreshNote | undefined => {
  const end = text.indexOf('\n')
  const content = text.slice(end + 1)
  if (text.slice(0, end) !== sha256(`${basename(path)}\n${content}`)) return undefined
  const note = JSON.parse(content) as FreshNote
  return note.version === 1 ? note : undefined
}

/** Options that change what is asked for: with them a build always takes the whole way. */
const wholeWay = /^(--(json|clean|publish|force-rebuild|rebuild-from|verify-cache|trace)\b|--help|-h$)/

const configFile = (cwd: string, words: readonly string[]): string | undefined => {
  for (const [index, word] of words.entries()) {
    if (word === '-c' || word === '--config') return words[index + 1] && resolve(cwd, words[index + 1]!)
    if (word.startsWith('--config=')) return resolve(cwd, word.slice('--config='.length))
  }
  const folder = upwards(cwd, 'zos.config.ts')
  return folder && join(folder, 'zos.config.ts')
}

/** The words of a command line as the note is filed under. */
export const wordsKey = (words: readonly string[]): string => words.join('\0')

/** One line when the last build of this command line still holds, else `undefined`. */
export const upToDate = (cli: Cli, words: readonly string[]): string | undefined => {
  if (words.some((word) => wholeWay.test(word)) || cli.env.DEBUG || cli.env.FORCE_REBUILD || cli.env.REBUILD_FROM_STAGE)
    return undefined
  // Publishing looks at the target's state, whatever the build says.
  if (cli.env.UPLOAD_KERNEL || cli.env.UPLOAD_MANIFESTS) return undefined
  const file = configFile(cli.cwd, words)
  if (!file) return undefined
  const store = cli.env.ZOS_STORE ? resolve(cli.cwd, cli.env.ZOS_STORE) : join(projectRoot(file), '.zos')
  const path = notePath(store, cli.cwd, wordsKey(words))
  let note: FreshNote | undefined
  try {
    note = parseNote(path, readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
  if (!note) return undefined
  if (note.env.some(([name, value]) => (cli.env[name] ?? null) !== value)) return undefined
  if (note.stamps.some(([file, stamp]) => (stampOf(file)?.text ?? '') !== stamp)) return undefined
  // Since the process started: what people wait for.
  const ms = timeText(performance.now())
  return `${note.name}: up to date, ${note.steps} steps from the store, ${ms} → ${note.folder}/`
}
