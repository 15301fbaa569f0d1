import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { type GitContext, gitText, runGit } from './git-command.js'
import { parseBatch, parseLsTree } from './git-parse.js'
import { snapshotFiles } from './git-snapshot.js'

/** What `git describe` and the commit itself say. */
export interface GitFacts {
  readonly commit: string
  /** `git describe --tags --always --long --abbrev=12`; the first digits of the commit where there is no tag. */
  readonly describe: string
  /** Committer's time, in seconds since 1970. */
  readonly time: number
}

/** A bare repository that holds a pinned commit. */
export interface GitRepository {
  /** Absolute path of the bare repository. */
  readonly gitFolder: string
  readonly commit: string
  /** Object name of each tag that counts, by its name. */
  readonly tags: Readonly<Record<string, string>>
}

/** More commits are not put into a snapshot. */
const mostCommits = 200_000
const batchLimit = 512 << 20

/** The nearest tags, of all and of those with a message: what `git describe` says with and without --tags. */
export const nearestTags = async (
  gitFolder: string,
  commit: string,
  context: GitContext,
): Promise<Readonly<Record<string, string>>> => {
  const folder = { folder: gitFolder }
  const tags: Record<string, string> = {}
  for (const kind of [[], ['--tags']]) {
    const text = await gitText(['describe', ...kind, '--always', '--long', '--abbrev=40', commit], context, folder)
    const name = /^(.+)-\d+-g[0-9a-f]{40}$/.exec(text.trim())?.[1]
    if (name === undefined) continue
    tags[name] = (await gitText(['rev-parse', '--verify', `refs/tags/${name}`], context, folder)).trim()
  }
  return tags
}

/** Describes the pinned commit by the tags that count. */
export const describe = async ({ gitFolder, commit }: GitRepository, context: GitContext): Promise<GitFacts> => {
  const folder = { folder: gitFolder }
  const text = await gitText(['describe', '--tags', '--always', '--long', '--abbrev=12', commit], context, folder)
  const time = await gitText(['show', '--no-patch', '--format=%ct', commit], context, folder)
  return { commit, describe: text.trim(), time: Number(time.trim()) }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/**
 * A small `.git` folder for builds that ask git about their version: the commits of the history, the tags that count,
 * and the index, by path below `.git`. `git describe` (also with --dirty), `git log` and `git status` work in it;
 * contents of files and older trees are left out. The bytes depend on commit and tags alone.
 */
export const makeRepositorySnapshot = async (
  { gitFolder, commit, tags }: GitRepository,
  context: GitContext,
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const folder = { folder: gitFolder }
  const commits = lines(await gitText(['rev-list', `--max-count=${mostCommits + 1}`, commit], context, folder))
  if (commits.length > mostCommits) {
    throw new ZosError('GIT_HISTORY', `the history of ${commit} has more than ${mostCommits} commits`, {
      exit: ExitCode.fetch,
      hint: 'fetch it without its history',
    })
  }
  const trees = parseLsTree(await gitText(['ls-tree', '-r', '-t', '-z', commit], context, folder))
  const root = (await gitText(['rev-parse', `${commit}^{tree}`], context, folder)).trim()
  const wanted = new Set([
    ...commits,
    root,
    // Of the files git needs links alone: it compares them with their objects, not with their names.
    ...trees.filter(({ mode }) => mode === '040000' || mode === '120000').map(({ oid }) => oid),
    ...Object.values(tags),
  ])
  const { stdout } = await runGit(['cat-file', '--batch'], context, {
    ...folder,
    stdin: [...wanted].map((oid) => `${oid}\n`).join(''),
    maxOutput: batchLimit,
  })
  const shallow = await readFile(join(gitFolder, 'shallow'), 'utf8').then(lines, () => [])
  return snapshotFiles({
    commit,
    objects: parseBatch(stdout),
    tags,
    shallow: shallow.filter((oid) => wanted.has(oid)),
    files: trees.filter(({ mode }) => mode !== '040000'),
  })
}
