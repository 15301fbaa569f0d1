// Sandboxes as containers: the command lines of podman and docker, as data.
import { ExitCode, ZosError } from '../error.js'
import { type Sandbox, sandboxMounts, sandboxVariables } from './bubblewrap.js'

export const containerEngines = ['podman', 'docker'] as const
export type ContainerEngine = (typeof containerEngines)[number]

/** A command line of an engine; it runs in the user's own environment, which says where the engine is. */
export interface EngineCommand {
  readonly file: ContainerEngine
  readonly args: readonly string[]
}

/** Who owns the files that a container writes: the user who runs zos, who has their number inside too. */
export interface ContainerUser {
  readonly uid: number
  readonly gid: number
  /** Podman without root: the user's number stays theirs inside. */
  readonly keepsId: boolean
}

export interface Container {
  /** Unique on the machine. */
  readonly name: string
  /** An image that the engine has; none is ever pulled. */
  readonly image: string
  readonly user: ContainerUser
}

/** Podman raises limits to what it thinks may be had, and fails where it may not; these are enough for any compiler. */
const limits = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096']

/** A field of `--mount`, which is a line of CSV. */
const field = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const surroundings = (engine: ContainerEngine, { image: _, name, user }: Container, mounts: Sandbox['mounts']) => [
  ...['--pull', 'never', '--name', name, '--hostname', 'zos', '--network', 'none', '--read-only'],
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--security-opt', 'label=disable'],
  ...['--user', `${user.uid}:${user.gid}`, ...(engine === 'podman' && user.keepsId ? ['--userns', 'keep-id'] : [])],
  ...(engine === 'podman' ? limits : []),
  ...['--tmpfs', '/tmp:rw,exec,nosuid,nodev,mode=1777'],
  ...sandboxMounts(mounts).flatMap(({ from, to, writable }) => [
    '--mount',
    ['type=bind', field(`source=${from}`), field(`target=${to}`), ...(writable ? [] : ['readonly'])].join(','),
  ]),
]

const variables = ({ env, epoch }: Sandbox): string[] =>
  sandboxVariables(epoch, env).flatMap(([name, value]) => ['--env', `${name}=${value}`])

/** What engines add to the environment, and bubblewrap does not. */
const added = ['HOSTNAME', 'TERM', 'container']

const beginning = ({ env }: Sandbox): string =>
  `umask 022; unset ${added.filter((name) => !(name in env)).join(' ')}; mkdir -p "$HOME"`

/**
 * Runs the command and ends with it. When standard input ends, zos has: all processes inside end too. No program but
 * `mkdir` is needed.
 */
const watched = (sandbox: Sandbox): string => `${beginning(sandbox)}
exec 3<&0 </dev/null
trap 'kill -9 -1' TERM INT HUP
"$@" 3<&- &
command=$!
(while read -r line; do :; done <&3; kill -9 -1) >/dev/null 2>&1 &
watch=$!
wait $command
code=$?
kill -9 $watch
exit $code`

const inside = (sandbox: Sandbox): string[] => [
  '/bin/sh',
  '-c',
  sandbox.hasInput ? `${beginning(sandbox)}; exec "$@"` : watched(sandbox),
  'sh',
  ...sandbox.command,
]

const keys = ({ isTerminal = false }: Sandbox): string => (isTerminal ? '--interactive --tty' : '--interactive')

/** A container for one command, gone when it ends: no network, a read-only root, no host paths but those named. */
export const containerRun = (engine: ContainerEngine, container: Container, sandbox: Sandbox): EngineCommand => ({
  file: engine,
  args: [
    ...['run', '--rm', ...keys(sandbox).split(' ')],
    ...surroundings(engine, container, sandbox.mounts),
    ...['--workdir', sandbox.workdir, ...variables(sandbox), container.image, ...inside(sandbox)],
  ],
})

/** A container that stays, as `zos container start` makes it: it waits, and commands come by `containerExec`. */
export const containerStart = (
  engine: ContainerEngine,
  container: Container,
  { mounts, workdir }: Pick<Sandbox, 'mounts' | 'workdir'>,
): EngineCommand => ({
  file: engine,
  args: [
    ...['run', '--rm', '--detach', ...surroundings(engine, container, mounts)],
    ...['--workdir', workdir, container.image],
    // Ends at once when it is told to.
    ...['/bin/sh', '-c', `trap 'exit 0' TERM; while :; do sleep 3600 & wait; done`],
  ],
})

/** What an earlier command left outside the working folder. */
const clean = 'rm -rf /tmp/* /tmp/.[!.]* /tmp/..?*'

/** A command in a container that runs; what the one before left is removed. */
export const containerExec = (engine: ContainerEngine, name: string, sandbox: Sandbox): EngineCommand => {
  const [shell = '', option = '', script = '', ...rest] = inside(sandbox)
  const begun = sandbox.hasInput ? script : `${clean}\n${script}`
  return {
    file: engine,
    args: [
      ...['exec', ...keys(sandbox).split(' '), '--workdir', sandbox.workdir, ...variables(sandbox), name],
      ...[shell, option, begun, ...rest],
    ],
  }
}

/** What an engine that does not work says, as an error. */
export const containerUnavailable = (engine: ContainerEngine, stderr: string): ZosError => {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  const hint = /permission denied.*docker|docker.*permission denied/i.test(said)
    ? ['sudo usermod -aG docker "$USER", and log in again', 'or without root: zos build --executor podman']
    : /connect to the docker daemon|docker daemon running/i.test(said)
      ? ['sudo systemctl start docker', 'or where another daemon is: DOCKER_HOST=unix:///run/docker.sock']
      : /subuid|newuidmap|user namespace/i.test(said)
        ? [`as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${'$USER'}`]
        : /cgroup/i.test(said)
          ? ['another runtime, in ~/.config/containers/containers.conf: [engine] runtime = "runc"']
          : [`run it by hand: ${engine} info`]
  return new ZosError('CONTAINER_UNAVAILABLE', `${engine} cannot run containers here\n  ${said}`, {
    exit: ExitCode.host,
    hint,
    data: { stderr },
  })
}
