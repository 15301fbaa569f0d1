import { ExitCode, isZosError, ZosError } from '../error.js'
import { type Command, type ProcessResult, runProcess } from './process.js'
import { backoff, defaultRetry, type RetryOptions, wait } from './retry.js'

/** The user's own git: their credentials, proxies and rewritten addresses apply, nothing else of their settings. */
export interface GitContext {
  /** The user's environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
  /** What git says on its way. */
  readonly onLine?: (line: string) => void
  readonly retry?: RetryOptions
}

/** Variables of git that say how to reach a server; all others could change what is fetched or where it goes. */
const keptVariables =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|ASKPASS|HTTP_\w+|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+|PARAMETERS)|EXEC_PATH)$/

const settings: readonly string[] = [
  'advice.detachedHead=false',
  'checkout.defaultRemote=',
  'core.attributesFile=/dev/null',
  'core.autocrlf=false',
  'core.fileMode=true',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.logAllRefUpdates=false',
  // Names that only other systems forbid, such as those of systemd's units with a backslash, are right here.
  'core.protectHFS=false',
  'core.protectNTFS=false',
  'core.sparseCheckout=false',
  'core.symlinks=true',
  'fetch.recurseSubmodules=false',
  'fetch.writeCommitGraph=false',
  'gc.auto=0',
  'init.defaultBranch=none',
  'log.showSignature=false',
  'maintenance.auto=false',
  'protocol.version=2',
  'submodule.recurse=false',
  'transfer.bundleURI=false',
]

const gitEnv = (env: GitContext['env']): Record<string, string> => {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!entry[0].startsWith('GIT_') || keptVariables.test(entry[0])),
  )
  const own: Record<string, string> = Object.fromEntries(kept)
  return {
    ...own,
    LC_ALL: 'C',
    TZ: 'UTC',
    // No helper programs (ext::), whatever an address says.
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_SSH_COMMAND: own.GIT_SSH_COMMAND ?? (own.GIT_SSH === undefined ? 'ssh -oBatchMode=yes' : own.GIT_SSH),
  }
}

/** A git command line; `folder` is the repository, where the command needs one. */
export const gitCommand = (args: readonly string[], env: GitContext['env'], folder?: string): Command => ({
  file: 'git',
  args: [
    ...settings.flatMap((setting) => ['-c', setting]),
    ...(folder === undefined ? [] : [`--git-dir=${folder}`]),
    ...args,
  ],
  env: gitEnv(env),
})

export interface GitRun {
  /** The repository. */
  readonly folder?: string
  readonly cwd?: string
  readonly stdin?: string
  readonly maxOutput?: number
}

export const runGit = (args: readonly string[], context: GitContext, run: GitRun = {}): Promise<ProcessResult> =>
  runProcess({
    ...gitCommand(args, context.env, run.folder),
    cwd: run.cwd ?? '/',
    install: 'apt-get install git',
    ...(run.stdin !== undefined && { stdin: run.stdin }),
    ...(run.maxOutput !== undefined && { maxOutput: run.maxOutput }),
    ...(context.signal && { signal: context.signal }),
    ...(context.onLine && { onLine: context.onLine }),
  })

export const gitText = async (args: readonly string[], context: GitContext, run?: GitRun): Promise<string> =>
  (await runGit(args, context, run)).stdout.toString()

const passing =
  /could not resolve host|couldn't connect|failed to connect|connection (?:refused|reset|timed out|closed)|timed? ?out|early eof|hung up|read error|unable to connect|could not read from remote|rpc failed|returned error: (?:429|5\d\d)|gnutls|ssl_|network is unreachable|temporary failure|unexpected disconnect/i
const denied =
  /authentication failed|could not read (?:username|password)|permission denied|access denied|returned error: 40[13]|terminal prompts disabled/i
const unknown = /repository .*not found|returned error: 404|does not appear to be a git repository|no such file/i

const networkHint = (stderr: string): string => {
  if (denied.test(stderr)) {
    return 'can you fetch it by hand? give your git its credentials (a credential helper, or a key in the ssh agent)'
  }
  if (unknown.test(stderr)) return 'is the address right? a private repository looks the same without credentials'
  return 'is the network up? behind a proxy, set https_proxy or git config http.proxy'
}

/** Runs a git command that talks to `url`, again where the failure may pass. Error: `GIT_FETCH`. */
export const runRemoteGit = async (
  url: string,
  args: readonly string[],
  context: GitContext,
  run: GitRun = {},
): Promise<ProcessResult> => {
  const retry = context.retry ?? defaultRetry
  const start = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await runGit(args, context, run)
    } catch (error) {
      if (!isZosError(error) || error.code !== 'PROCESS_FAILED') throw error
      const stderr = String(error.data.stderr)
      if (passing.test(stderr) && tries < retry.tries) {
        await wait(backoff(tries, retry, Math.random), context.signal)
        continue
      }
      const lines = stderr.split('\n').filter((line) => /^(fatal|error|remote|ssh|warning):|denied/i.test(line))
      const said = (lines.length > 0 ? lines : stderr.trim().split('\n')).slice(-4).join('\n')
      const effort = tries > 1 ? ` (${tries} tries, ${Math.round((performance.now() - start) / 1000)} s)` : ''
      throw new ZosError('GIT_FETCH', `git could not fetch from ${url}${effort}\n${said}`, {
        exit: ExitCode.fetch,
        hint: networkHint(stderr),
        cause: error,
        data: { ...error.data, passing: passing.test(stderr) },
      })
    }
  }
}
