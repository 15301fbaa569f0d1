import { mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { type GitContext, gitText, runGit, runRemoteGit } from './git-command.js'
import { describe, type GitFacts, type GitRepository, nearestTags } from './git-history.js'
import { isCommit, parseGitmodules, parseLsRemote, parseLsTree } from './git-parse.js'
import { checkSubmoduleUrl, gitTransport, submoduleUrl } from './git-url.js'

export type { GitContext } from './git-command.js'
export { describe, type GitFacts, type GitRepository, makeRepositorySnapshot } from './git-history.js'

export interface ResolvedRef {
  readonly commit: string
  /** `refs/heads/…`, `refs/tags/…` or `HEAD`; `undefined` for a commit given as such. */
  readonly ref: string | undefined
}

/** What a lock may pin of a git source. */
export interface GitRequest {
  readonly url: string
  /** 40 hex digits. */
  readonly commit: string
  /** Where the commit was found; asked for when the server does not give single commits. */
  readonly ref?: string
  /** Submodules of submodules too. */
  readonly submodules: boolean
  /** With `false` only the commit itself is fetched, and there is nothing to describe it by. */
  readonly history: boolean
  /** Tags by name and object, as an earlier `fetchCommit` told them: tags made later then change nothing. */
  readonly tags?: Readonly<Record<string, string>>
}

export interface PinnedSubmodule {
  /** Path below the checkout. */
  readonly path: string
  readonly url: string
  readonly commit: string
}

export interface GitCheckout extends GitRepository, GitFacts {
  /** The commit's files, bytes as they are in the repository; no `.git`. Files that git-lfs keeps are its pointers. */
  readonly folder: string
  /** All that were fetched, sorted by path. */
  readonly submodules: readonly PinnedSubmodule[]
}

const deepestSubmodule = 10
const mostSubmodules = 500
const pinRef = 'refs/zos/pin'

const shownRef = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '')

/**
 * Asks `url` for the commit of a branch, a tag (of the commit behind it) or `HEAD`; a full commit stands for itself.
 * Errors: `GIT_REF` (unknown, or both a branch and a tag), `GIT_FETCH`, `GIT_URL`.
 */
export const resolveRef = async (url: string, ref: string, context: GitContext): Promise<ResolvedRef> => {
  gitTransport(url)
  if (isCommit(ref)) return { commit: ref, ref: undefined }
  const full = ref === 'HEAD' || ref.startsWith('refs/')
  const names = full ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`]
  const patterns = names.flatMap((name) => [name, `${name}^{}`])
  const { stdout } = await runRemoteGit(url, ['ls-remote', '--', url, ...patterns], context)
  const refs = parseLsRemote(stdout.toString())
  const found = names.filter((name) => refs.has(name))
  const [name] = found
  if (found.length > 1) {
    throw new ZosError('GIT_REF', `${url} has both a branch and a tag ${ref}`, {
      exit: ExitCode.fetch,
      hint: `name the one that is meant: ${found.join(' or ')}`,
    })
  }
  if (name === undefined) {
    const short = /^[0-9a-f]{4,39}$/.test(ref)
    throw new ZosError('GIT_REF', `${url} has no branch or tag ${ref}`, {
      exit: ExitCode.fetch,
      hint: short ? 'a commit has to be given with all its 40 digits' : `see what there is: git ls-remote ${url}`,
    })
  }
  return { commit: (refs.get(`${name}^{}`) ?? refs.get(name)) as string, ref: name }
}

/** The name of an object that is there. */
const lookUp = async (gitFolder: string, object: string, context: GitContext): Promise<string | undefined> => {
  try {
    const run = { folder: gitFolder }
    const name = (await gitText(['rev-parse', '--verify', '--quiet', object], context, run)).trim()
    await runGit(['cat-file', '-e', name], context, run)
    return name
  } catch (error) {
    if (isZosError(error) && error.code === 'PROCESS_FAILED') return undefined
    throw error
  }
}

const has = async (gitFolder: string, object: string, context: GitContext): Promise<boolean> =>
  (await lookUp(gitFolder, object, context)) !== undefined

/** Fetches objects by name, or, where the server does not give them so, all branches and tags they may be in. */
const fetchObjects = async (
  request: Pick<GitRequest, 'url' | 'ref' | 'history'>,
  refspecs: readonly string[],
  wanted: string,
  gitFolder: string,
  context: GitContext,
): Promise<void> => {
  const { url, ref, history } = request
  const fetch = ['fetch', '--quiet', '--force', '--no-write-fetch-head']
  const run = { folder: gitFolder }
  try {
    await runRemoteGit(
      url,
      [...fetch, ...(history ? [] : ['--depth=1', '--no-tags']), '--', url, ...refspecs],
      context,
      run,
    )
    return
  } catch (error) {
    if (!isZosError(error) || error.code !== 'GIT_FETCH' || error.data.passing === true) throw error
    const everything = ['+refs/heads/*:refs/zos/heads/*', '+refs/tags/*:refs/tags/*']
    const specs = ref === undefined || ref === 'HEAD' ? everything : [`+${ref}:refs/zos/ref`, ...everything]
    try {
      await runRemoteGit(url, [...fetch, '--', url, ...specs], context, run)
    } catch (second) {
      // The moved branch may be gone; what is left may still hold the commit.
      if (specs === everything) throw second
      await runRemoteGit(url, [...fetch, '--', url, ...everything], context, run)
    }
    if (await has(gitFolder, wanted, context)) return
    throw new ZosError(
      'GIT_COMMIT',
      `${url} has no ${wanted.replace(/\^.*/, '')}${ref === undefined ? '' : ` (pinned from ${shownRef(ref)})`}`,
      {
        exit: ExitCode.fetch,
        hint: 'it was removed there, or never pushed: pin what is there now with zos update',
        cause: error,
      },
    )
  }
}

/** Leaves exactly the tags that count, so that those made later on the server change nothing. */
const settleTags = async (
  { url, commit, history, tags }: GitRequest,
  gitFolder: string,
  context: GitContext,
): Promise<Readonly<Record<string, string>>> => {
  if (!history) return {}
  const wanted = tags ?? (await nearestTags(gitFolder, commit, context))
  for (const [name, oid] of Object.entries(wanted)) {
    if (await has(gitFolder, oid, context)) continue
    const ref = `refs/tags/${name}`
    await fetchObjects({ url, ref, history: true }, [`+${oid}:${pinRef}-tag`], oid, gitFolder, context)
  }
  const names = await gitText(['for-each-ref', '--format=%(refname)', 'refs/tags'], context, { folder: gitFolder })
  const commands = names
    .split('\n')
    .filter(Boolean)
    .map((name) => `delete ${name}\n`)
  await runGit(['update-ref', '--stdin'], context, { folder: gitFolder, stdin: commands.join('') })
  const creations = Object.entries(wanted).map(([name, oid]) => `update refs/tags/${name} ${oid}\n`)
  await runGit(['update-ref', '--stdin'], context, { folder: gitFolder, stdin: creations.join('') })
  return wanted
}

/** A bare repository with the commit. One that an interrupted run left is used again. */
const fetchRepository = async (request: GitRequest, gitFolder: string, context: GitContext): Promise<GitRepository> => {
  const { commit } = request
  await mkdir(gitFolder, { recursive: true })
  await runGit(['init', '--quiet', '--bare', '--template=', gitFolder], context)
  const pinned = (): Promise<string | undefined> => lookUp(gitFolder, `${pinRef}^{commit}`, context)
  if ((await pinned()) !== commit) {
    await fetchObjects(request, [`+${commit}:${pinRef}`], `${commit}^{commit}`, gitFolder, context)
    await runGit(['update-ref', pinRef, commit], context, { folder: gitFolder })
  }
  const found = await pinned()
  if (found !== commit) {
    throw new ZosError('GIT_COMMIT', `${request.url} gave ${found} for ${commit}`, { exit: ExitCode.fetch })
  }
  return { gitFolder, commit, tags: await settleTags(request, gitFolder, context) }
}

/** Puts the files of a commit into a new folder, without filters, line-end or other conversions. */
const checkOut = async ({ gitFolder, commit }: GitRepository, folder: string, context: GitContext): Promise<void> => {
  await mkdir(folder, { recursive: true })
  await mkdir(join(gitFolder, 'info'), { recursive: true })
  await writeFile(join(gitFolder, 'info', 'attributes'), '* -text -ident -filter -working-tree-encoding\n')
  const args = [`--work-tree=${folder}`, 'checkout', '--quiet', '--force', '--detach', commit]
  await runGit(args, context, { folder: gitFolder, cwd: folder })
}

const submodulesOf = async (
  { gitFolder, commit }: GitRepository,
  url: string,
  context: GitContext,
): Promise<PinnedSubmodule[]> => {
  const run = { folder: gitFolder }
  const links = parseLsTree(await gitText(['ls-tree', '-r', '-z', commit], context, run)).filter(
    ({ mode }) => mode === '160000',
  )
  if (links.length === 0) return []
  const blob = `${commit}:.gitmodules`
  const listing = (await has(gitFolder, blob, context))
    ? await gitText(['config', '--no-includes', '-z', '--list', '--blob', blob], context, run)
    : ''
  const modules = parseGitmodules(listing)
  return links.flatMap(({ path, oid }) => {
    const module = modules.get(path)
    if (module === undefined) {
      throw new ZosError(
        'GIT_SUBMODULE',
        `${url} has a submodule ${path} at ${oid}, but .gitmodules has no address for it`,
        {
          exit: ExitCode.fetch,
          hint: 'fetch it without submodules: { submodules: false }',
        },
      )
    }
    if (module.update === 'none') return []
    return [{ path, url: checkSubmoduleUrl(url, submoduleUrl(url, module.url)), commit: oid }]
  })
}

/** The folder of a submodule: an empty one that the checkout made, and no symbolic link on the way to it. */
const submoduleFolder = async (folder: string, path: string): Promise<string> => {
  const root = await realpath(folder)
  const place = await realpath(join(folder, path))
  if (place === join(root, path) && place.startsWith(`${root}${sep}`)) return place
  throw new ZosError('GIT_SUBMODULE', `the submodule ${path} would lie outside of its repository`, {
    exit: ExitCode.fetch,
  })
}

const fetchInto = async (
  request: GitRequest,
  gitFolder: string,
  folder: string,
  depth: number,
  found: PinnedSubmodule[],
  prefix: string,
  context: GitContext,
): Promise<GitRepository> => {
  const repository = await fetchRepository(request, gitFolder, context)
  await checkOut(repository, folder, context)
  if (!request.submodules) return repository
  for (const submodule of await submodulesOf(repository, request.url, context)) {
    if (depth >= deepestSubmodule || found.length >= mostSubmodules) {
      throw new ZosError(
        'GIT_SUBMODULE',
        `${request.url} has more than ${mostSubmodules} submodules, or deeper than ${deepestSubmodule}`,
        {
          exit: ExitCode.fetch,
        },
      )
    }
    const path = `${prefix}${submodule.path}`
    found.push({ ...submodule, path })
    const place = await submoduleFolder(folder, submodule.path)
    const inner = { url: submodule.url, commit: submodule.commit, submodules: true, history: false }
    await fetchInto(inner, `${gitFolder}-${found.length}`, place, depth + 1, found, `${path}/`, context)
  }
  return repository
}

/**
 * Fetches a pinned commit into `workdir`: the repository, and a folder with its files. Git checks every object's name
 * against its content, so the commit proves the files. Errors: `GIT_FETCH`, `GIT_COMMIT` (not there any more),
 * `GIT_SUBMODULE`, `GIT_URL`.
 */
export const fetchCommit = async (request: GitRequest, workdir: string, context: GitContext): Promise<GitCheckout> => {
  gitTransport(request.url)
  if (!isCommit(request.commit)) {
    throw new ZosError('GIT_COMMIT', `'${request.commit}' is no commit of 40 hex digits`, { exit: ExitCode.fetch })
  }
  const folder = join(workdir, 'tree')
  if (await stat(folder).catch(() => undefined)) await rm(folder, { recursive: true })
  const found: PinnedSubmodule[] = []
  const repository = await fetchInto(request, join(workdir, 'git'), folder, 1, found, '', context)
  const facts = await describe(repository, context)
  const submodules = found.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { ...repository, ...facts, folder, submodules }
}
