import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ZosError } from '../dist/error.js'

export const failure = async (promise: Promise<unknown>): Promise<ZosError> => {
  try {
    await promise
  } catch (error) {
    return error as ZosError
  }
  throw new Error('it did not fail')
}

export const scratch = mkdtempSync(join(tmpdir(), 'zos-git-'))
export const clean = (): void => rmSync(scratch, { recursive: true })

export const env = { PATH: process.env.PATH ?? '', HOME: join(scratch, 'home') }
mkdirSync(env.HOME)
export const context = { env, retry: { tries: 2, firstWait: 5, longestWait: 10 } }

let clock = 1_700_000_000

/** Git as an upstream would use it, with fixed names and times. */
export const gitIn = (folder: string, ...args: string[]): string => {
  const date = `${clock} +0000`
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...env,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: 'C',
      GIT_COMMITTER_EMAIL: 'c@example.org',
      GIT_COMMITTER_DATE: date,
    },
  }).trim()
}

export const upstream = (name: string): string => {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  gitIn(folder, 'init', '--quiet', '--initial-branch=main')
  return folder
}

export const write = (folder: string, files: Record<string, string | { link: string }>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (typeof content === 'string') writeFileSync(join(folder, path), content)
    else symlinkSync(content.link, join(folder, path))
  }
}

export const commit = (
  folder: string,
  message: string,
  files: Record<string, string | { link: string }> = {},
): string => {
  clock += 100
  write(folder, files)
  gitIn(folder, 'add', '--all')
  gitIn(folder, 'commit', '--quiet', '--allow-empty', '-m', message)
  return gitIn(folder, 'rev-parse', 'HEAD')
}

/** All files below a folder by path. */
export const filesIn = (folder: string): Record<string, string> => {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files[path.slice(folder.length + 1)] = readFileSync(path, 'latin1')
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
}

let count = 0
export const workdir = (): string => {
  const folder = join(scratch, `work-${++count}`)
  mkdirSync(folder)
  return folder
}
