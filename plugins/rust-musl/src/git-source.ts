// Source kind `rust-git`: a commit of a git repository with a crate in it. The core's own `git` fetches it.
import {
  ExitCode,
  type FetchContext,
  type Fetched,
  git,
  isZosError,
  type Json,
  type PinnedSource,
  type Source,
  ZosError,
} from '@zos/core'
import { cratesInside } from './crates-source.js'

export interface GitCrateSource extends Source {
  readonly kind: 'rust-git'
  readonly url: string
  readonly ref: string
  /** Folder of the crate in the repository; empty for its root. */
  readonly folder: string
}

/** Pin as the core's `git` has it; `ref` is where the commit was found. */
export interface GitCratePin {
  readonly commit: string
  readonly ref?: string
}

export const gitCrateSource = (url: string, ref: string, folder: string): GitCrateSource => ({
  kind: 'rust-git',
  url,
  ref,
  folder,
})

/**
 * The commit of a branch or tag in what `git ls-remote` printed (`OID TAB NAME`), of the commit behind an annotated tag.
 * Undefined where there is none; a branch and a tag of one name are `RUST_GIT_REF`.
 */
export const remoteCommit = (listing: string, ref: string): GitCratePin | undefined => {
  const refs = new Map<string, string>()
  for (const line of listing.split('\n')) {
    const [, oid, name] = /^([0-9a-f]{40})\t(\S+)$/.exec(line) ?? []
    if (oid !== undefined && name !== undefined) refs.set(name, oid)
  }
  const names = ref.startsWith('refs/') || ref === 'HEAD' ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`]
  const found = names.filter((name) => refs.has(name))
  if (found.length > 1) {
    throw new ZosError('RUST_GIT_REF', `there is both a branch and a tag ${ref}`, {
      hint: `name the one that is meant: ${found.join(' or ')}`,
      exit: ExitCode.fetch,
    })
  }
  const [name] = found
  return name === undefined ? undefined : { commit: (refs.get(`${name}^{}`) ?? refs.get(name))!, ref: name }
}

/** What the repository has, as `git ls-remote` prints it. */
const listing = async (url: string, ctx: FetchContext): Promise<string> => {
  try {
    const { stdout } = await ctx.run({
      file: 'git',
      args: ['ls-remote', '--', url],
      env: { GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh' },
    })
    return stdout
  } catch (cause) {
    if (!isZosError(cause) || cause.code !== 'PROCESS_FAILED') throw cause
    const said = String(cause.data.stderr).trim().split('\n').at(-1)
    throw new ZosError('RUST_GIT', `git could not look at ${url}: ${said}`, {
      hint: [
        'is the network up, and the address right? behind a proxy, set https_proxy or git config http.proxy',
        'another repository with the same: url of the component, in the config or in a variant',
      ],
      exit: ExitCode.fetch,
      data: cause.data,
      cause,
    })
  }
}

export const pinGitCrate = async ({ url, ref }: GitCrateSource, ctx: FetchContext): Promise<Json> => {
  if (/^[0-9a-f]{40}$/.test(ref)) return { commit: ref }
  const refs = await listing(url, ctx)
  const found = remoteCommit(refs, ref)
  if (found) return { ...found }
  // Versions are written without the v that their tags have.
  const tagged = /^\d/.test(ref) ? remoteCommit(refs, `v${ref}`) : undefined
  if (tagged) {
    ctx.warn('RUST_GIT_REF', `${url} has no ${ref}, so v${ref} is taken`, `write it so: ref: 'v${ref}'`)
    return { ...tagged }
  }
  throw new ZosError('RUST_GIT_REF', `${url} has no branch or tag ${ref}`, {
    hint: `see what there is: git ls-remote ${url}`,
    exit: ExitCode.fetch,
  })
}

export const fetchGitCrate = async (pinned: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const { url, ref, folder } = pinned.source as GitCrateSource
  const { commit } = pinned.pin as unknown as GitCratePin
  const fetched = await ctx.fetch({ name: pinned.name, source: git(url, { ref }), pin: pinned.pin })
  const { tree } = fetched
  if (!tree) throw new ZosError('RUST_GIT', `${url} gave no files for ${commit}`, { exit: ExitCode.fetch })
  const facts = typeof fetched.facts === 'object' && !Array.isArray(fetched.facts) ? fetched.facts : {}
  return { tree, facts: { ...facts, commit }, sources: { crates: await cratesInside(pinned, tree, folder, ctx) } }
}
