import type { BlobReader, Entry } from '@zos/core'
import type { UnitProblem } from './graph.js'
import { type Dialect, unitPath } from './render.js'
import type { Service, Unit } from './service.js'
import { plainWords, splitWords } from './words.js'

/** The part of a finished tree that is looked at. */
export interface ProgramTree {
  get(path: string): Entry | undefined
  resolve(path: string): string | undefined
}

/** A file that a command line needs: as a program to start, or as a script that a shell reads. */
export interface Needed {
  readonly word: string
  readonly as: 'program' | 'script'
}

/** The search path of the process manager, as `/init` sets it. */
export const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const shells = new Set(['sh', 'ash', 'bash', 'dash'])
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/**
 * What a command line needs in the image: its program and, where that is a shell, the script it is given or the first
 * program of its `-c` text as far as that is told by reading. `@builtin:NAME` of zinit 0.3 needs nothing.
 */
export const neededPrograms = (exec: string): Needed[] => {
  const [program, ...args] = splitWords(exec)
  if (program === undefined || program.startsWith('@builtin:')) return []
  const needed: Needed[] = [{ word: program, as: 'program' }]
  const applet = baseName(program) === 'busybox' ? args.shift() : baseName(program)
  if (applet === undefined || !shells.has(applet)) return needed
  const options = args.findIndex((arg) => !/^-[a-z]+$/.test(arg))
  const flags = args.slice(0, Math.max(0, options)).join('')
  const rest = options < 0 ? undefined : args[options]
  if (rest === undefined) return needed
  if (!flags.includes('c')) return rest.startsWith('/') ? [...needed, { word: rest, as: 'script' }] : needed
  const first = firstProgram(rest)
  return first === undefined ? needed : [...needed, { word: first, as: 'program' }]
}

/** The program that a shell text starts with, if it is named by an absolute path. */
const firstProgram = (script: string): string | undefined => {
  const start = /^\s*(?:exec\s+)?([^|&;<>()\n]+)/.exec(script)?.[1]
  const word = start && (plainWords(start) ?? [/^\s*(\S+)/.exec(start)?.[1]])[0]
  return word && /^\/[A-Za-z0-9_@%+:,./-]+$/.test(word) ? word : undefined
}

/** The interpreter that the first line of a script names, with the program that `env` is to start; `undefined` for no script. */
export const scriptInterpreters = (head: Uint8Array): string[] | undefined => {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined
  const end = head.indexOf(0x0a)
  const line = Buffer.from(head.subarray(2, end < 0 ? 256 : Math.min(end, 256)))
    .toString('latin1')
    .trim()
  const [interpreter = '', argument] = line.split(/[ \t]+/)
  return baseName(interpreter) === 'env' && argument && !argument.startsWith('-')
    ? [interpreter, argument]
    : [interpreter]
}

/** Problems with the programs that services start, looked up in the finished tree; sorted by unit. */
export const programProblems = async (
  units: readonly Unit[],
  tree: ProgramTree,
  blobs: BlobReader,
  dialect: Dialect,
): Promise<UnitProblem[]> => {
  const problems: UnitProblem[] = []
  const services = units.filter((unit): unit is Service => unit.kind === 'service')
  if (dialect === 'toml' && services.length > 0 && !isProgram(tree, '/bin/sh')) {
    problems.push({
      severity: 'error',
      code: 'ZINIT_PROGRAM',
      unit: services[0]!.name,
      message: 'zinit 0.3 starts every service by /bin/sh, which the image does not have or cannot run',
      hint: 'add a shell, or a link /bin/sh to busybox',
    })
  }
  for (const service of services) {
    const file = unitPath(service, dialect)
    const lines = { exec: service.exec, test: service.test && 'exec' in service.test ? service.test.exec : undefined }
    for (const [field, line] of Object.entries(lines)) {
      if (line === undefined) continue
      for (const needed of neededPrograms(line)) {
        const problem = await problemOf(needed, service, tree, blobs)
        if (!problem) continue
        const { message, hint } = problem
        problems.push({
          severity: 'error',
          code: 'ZINIT_PROGRAM',
          unit: service.name,
          message: `${field} of ${file}: ${message}`,
          hint,
        })
      }
    }
  }
  return problems
}

interface Problem {
  readonly message: string
  readonly hint: string
}

const isProgram = (tree: ProgramTree, path: string): boolean => {
  const entry = fileAt(tree, path)
  return entry !== undefined && (entry.mode & 0o111) !== 0
}

const fileAt = (tree: ProgramTree, path: string) => {
  const real = tree.resolve(path)
  const entry = real === undefined ? undefined : tree.get(real)
  return entry?.kind === 'file' ? entry : undefined
}

/** The places where a word is looked for: itself if it has a slash, else the folders of the search path. */
const places = (word: string, path: string): string[] =>
  word.includes('/')
    ? [word]
    : path.split(':').flatMap((folder) => (folder.startsWith('/') ? [`${folder}/${word}`] : []))

const problemOf = async (
  { word, as }: Needed,
  service: Service,
  tree: ProgramTree,
  blobs: BlobReader,
  depth = 0,
): Promise<Problem | undefined> => {
  if (word.includes('/') && (!word.startsWith('/') || /\/\.{0,2}(?:\/|$)/.test(word))) {
    return { message: `${word} is not an absolute path in normal form`, hint: 'write the whole path' }
  }
  const path = service.env?.PATH ?? searchPath
  const found = places(word, path).find((place) => (as === 'script' ? fileAt(tree, place) : isProgram(tree, place)))
  if (found === undefined) return notFound(word, path, tree)
  if (as === 'script') return undefined
  const entry = fileAt(tree, found)!
  const interpreters = scriptInterpreters(await head(blobs, entry.blob))
  if (depth === 4) return { message: `${word} is a script of a script of a script`, hint: 'Linux follows four of them' }
  for (const interpreter of interpreters ?? []) {
    const problem = await problemOf({ word: interpreter, as: 'program' }, service, tree, blobs, depth + 1)
    if (problem) return { message: `${word} is a script, and ${problem.message}`, hint: problem.hint }
  }
  return undefined
}

const notFound = (word: string, path: string, tree: ProgramTree): Problem => {
  for (const place of places(word, path)) {
    const entry = tree.get(place)
    if (entry === undefined) continue
    const real = tree.resolve(place)
    if (entry.kind === 'symlink' && real === undefined) {
      return {
        message: `${place} is a link to ${entry.target}, which is missing`,
        hint: 'add the package that brings it',
      }
    }
    const target = real === undefined ? undefined : tree.get(real)
    if (target?.kind === 'file') {
      const mode = (target.mode & 0o7777).toString(8).padStart(4, '0')
      return { message: `${real} is not executable (mode ${mode})`, hint: 'give it mode 0755' }
    }
    return { message: `${place} is a ${target?.kind ?? entry.kind}, expected a file`, hint: 'name the program itself' }
  }
  return {
    message: word.includes('/') ? `${word} is not in the image` : `${word} is in none of ${path}`,
    hint: 'add the package that brings it, or correct the path',
  }
}

/** The first bytes of a file: at least 256, if it has as many. */
const head = async (blobs: BlobReader, blob: Parameters<BlobReader['stream']>[0]): Promise<Uint8Array> => {
  let bytes: Uint8Array = new Uint8Array()
  for await (const chunk of blobs.stream(blob)) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    if (bytes.length >= 256) break
  }
  return bytes
}
