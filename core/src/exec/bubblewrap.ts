import { ExitCode, ZosError } from '../error.js'
import type { Command } from '../io/process.js'

export interface Mount {
  /** Absolute path on the host. */
  readonly from: string
  /** Absolute path in the sandbox, normal form; not below `/proc` or `/dev`. */
  readonly to: string
  readonly writable: boolean
}

/** What a command sees of the world. */
export interface Sandbox {
  /** The host's own programs and libraries, or the absolute path of a folder that is the root. */
  readonly root: 'host' | string
  readonly mounts: readonly Mount[]
  /** Absolute path in the sandbox. */
  readonly workdir: string
  /** Added to the fixed environment, or replaces parts of it. */
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** Seconds since 1970, as `SOURCE_DATE_EPOCH`. */
  readonly epoch: number
  /** There is none, ever. */
  readonly network: false
  /** Job control works inside; only for a person's own shell, since it could type into the terminal outside. */
  readonly isTerminal?: boolean
  /** Standard input is the command's; else it reads nothing, and a container ends when the caller does. */
  readonly hasInput?: boolean
}

/** What the root `host` shows, read-only; what is not there is left out. */
export const hostPaths: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
]

/**
 * The user in the sandbox. Not 0: tar and cp as root try to give files to users that the sandbox does not have. On the
 * host the files belong to whoever runs zos.
 */
const user = '1000'

/** The same on every machine. */
const fixedEnv = (epoch: number): Record<string, string> => ({
  HOME: '/tmp/home',
  LANG: 'C.UTF-8',
  LOGNAME: 'zos',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  SOURCE_DATE_EPOCH: String(epoch),
  TMPDIR: '/tmp',
  TZ: 'UTC',
  USER: 'zos',
})

/** All variables that a command sees, by name. */
export const sandboxVariables = (epoch: number, env: Sandbox['env']): [string, string][] =>
  Object.entries({ ...fixedEnv(epoch), ...env }).sort(([a], [b]) => (a < b ? -1 : 1))

const ownFolders = ['/dev', '/proc', '/tmp']

const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** Mounts in the order of their places; one that would hide what a sandbox needs is `SANDBOX_MOUNT`. */
export const sandboxMounts = (mounts: readonly Mount[]): readonly Mount[] => {
  const sorted = [...mounts].sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : 0))
  for (const [index, { from, to }] of sorted.entries()) {
    const normal = /^(\/[^/\0]+)+$/.test(to) && !to.split('/').some((part) => part === '.' || part === '..')
    if (!normal || !from.startsWith('/') || below(to, '/proc') || below(to, '/dev') || to === '/tmp') {
      throw new ZosError('SANDBOX_MOUNT', `${from} cannot be shown as '${to}' in the sandbox`)
    }
    if (sorted[index + 1]?.to === to) {
      throw new ZosError(
        'SANDBOX_MOUNT',
        `both ${from} and ${sorted[index + 1]?.from} are to be '${to}' in the sandbox`,
      )
    }
  }
  return sorted
}

/**
 * Folders that a root folder has to have before a sandbox is started on it, sorted: a read-only root takes no new ones.
 * The root `host` needs none.
 */
export const mountPoints = ({ root, mounts, workdir }: Sandbox): readonly string[] => {
  if (root === 'host') return []
  return [...new Set([...ownFolders, workdir, ...sandboxMounts(mounts).map(({ to }) => to)])]
    .filter((path) => ownFolders.includes(path) || !ownFolders.some((folder) => below(path, folder)))
    .sort()
}

/** The sandbox as a command line of bubblewrap 0.8 or later: no network, no users, no host paths but those named. */
export const bubblewrapCommand = (sandbox: Sandbox): Command => {
  const { root, workdir, env, command, epoch } = sandbox
  const mounts = sandboxMounts(sandbox.mounts)
  const variables = sandboxVariables(epoch, env)
  const base = root === 'host' ? hostPaths.flatMap((path) => ['--ro-bind-try', path, path]) : ['--ro-bind', root, '/']
  return {
    file: 'bwrap',
    args: [
      ...[
        '--unshare-all',
        '--unshare-user',
        '--die-with-parent',
        ...(sandbox.isTerminal ? [] : ['--new-session']),
        '--cap-drop',
        'ALL',
      ],
      ...['--uid', user, '--gid', user, '--hostname', 'zos'],
      ...base,
      ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp', '--dir', '/tmp/home'],
      ...mounts.flatMap(({ from, to, writable }) => [writable ? '--bind' : '--ro-bind', from, to]),
      // Without this a write beside the writable mounts would be lost in silence.
      ...(root === 'host' ? ['--remount-ro', '/'] : []),
      '--clearenv',
      ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
      ...['--chdir', workdir, '--'],
      // bubblewrap passes the caller's umask on, and has no option for it.
      ...['/bin/sh', '-c', 'umask 022 && exec "$@"', 'sh', ...command],
    ],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  }
}

/** A sandbox that does nothing; starting it tells whether sandboxes can be had here. */
export const probeSandbox: Sandbox = {
  root: 'host',
  mounts: [],
  workdir: '/tmp',
  env: {},
  command: ['true'],
  epoch: 0,
  network: false,
}

/** What a failed probe means, from what bubblewrap wrote to stderr. */
export const sandboxUnavailable = (stderr: string): ZosError => {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  const error = (reason: string, hint: readonly string[]): ZosError =>
    new ZosError('SANDBOX_UNAVAILABLE', `bubblewrap cannot make a sandbox here: ${reason}\n${said}`, {
      exit: ExitCode.host,
      hint,
      data: { stderr },
    })
  if (/mount(ing)? (proc|\/newroot\/proc|new proc)|mount proc/i.test(said)) {
    return error('/proc cannot be mounted; this looks like a container without the right to', [
      'docker run --security-opt systempaths=unconfined --security-opt seccomp=unconfined --security-opt apparmor=unconfined',
    ])
  }
  if (/namespace|uid map|setgroups|user_namespaces|loopback|operation not permitted|permission denied/i.test(said)) {
    return error('user namespaces are forbidden', [
      'as root: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000',
      'Ubuntu 23.10 and later: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
      'in a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined',
      'or run each command in a container, in a toolchain that the config names: zos build --executor podman',
    ])
  }
  return error('it failed', ['run it by hand: bwrap --unshare-all --ro-bind / / true'])
}
