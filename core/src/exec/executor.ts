// Who runs an action: bubblewrap, or the bare host when it was asked for by name.
import { ExitCode, ZosError } from '../error.js'
import type { Command } from '../io/process.js'
import { actionFolder } from '../model/action.js'
import type { Toolchain } from '../model/toolchain.js'
import { bubblewrapCommand } from './bubblewrap.js'
import { probeBubblewrap } from './bubblewrap-probe.js'

export const executorNames = ['bubblewrap', 'host'] as const
export type ExecutorName = (typeof executorNames)[number]

/** An action as executors get it: its inputs lie in `folder` on the host. */
export interface Prepared {
  readonly folder: string
  readonly cwd: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly toolchain: Pick<Toolchain, 'folders'>
  /** For a person: the terminal stays theirs. */
  readonly isTerminal?: boolean
}

/** Seconds since 1970 that sandboxes show as SOURCE_DATE_EPOCH where an action says nothing else: 1980, which every format can hold. */
const epoch = 315_532_800

let probe: ReturnType<typeof probeBubblewrap> | undefined

/** Makes sure once that sandboxes work here; else `SANDBOX_UNAVAILABLE` with the way out. */
export const checkExecutor = async (name: ExecutorName): Promise<void> => {
  if (name === 'host') return
  probe ??= probeBubblewrap()
  const found = await probe
  if (!found.usable) throw found.error
}

export const executorOf = (text: string): ExecutorName => {
  const name = executorNames.find((one) => one === text)
  if (name) return name
  throw new ZosError('EXECUTOR_UNKNOWN', `--executor ${text}: expected ${executorNames.join(' or ')}`, {
    exit: ExitCode.usage,
  })
}

export const executorCommand = (
  name: ExecutorName,
  { folder, cwd, command, env, toolchain, isTerminal = false }: Prepared,
): Command => {
  if (name === 'host') {
    const [file = '', ...args] = command
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    return {
      file,
      args,
      env: {
        PATH: path,
        HOME: `${folder}/.home`,
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        SOURCE_DATE_EPOCH: String(epoch),
        ...env,
      },
    }
  }
  return bubblewrapCommand({
    root: 'host',
    mounts: [
      { from: folder, to: actionFolder, writable: true },
      ...Object.entries(toolchain.folders).map(([to, from]) => ({ from, to, writable: false })),
    ],
    workdir: cwd === '' ? actionFolder : `${actionFolder}/${cwd}`,
    env,
    command,
    epoch,
    network: false,
    isTerminal,
  })
}
