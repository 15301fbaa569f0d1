import { ExitCode, isZosError, ZosError } from '../error.js'
import { runProcess } from '../io/process.js'
import { bubblewrapCommand, probeSandbox, sandboxUnavailable } from './bubblewrap.js'

/** Whether sandboxes can be had on this machine. */
export type SandboxProbe = { readonly usable: true } | { readonly usable: false; readonly error: ZosError }

/** Starts one sandbox, in some 10 ms. Error inside: `SANDBOX_UNAVAILABLE`, with what to do about it. */
export const probeBubblewrap = async (): Promise<SandboxProbe> => {
  try {
    await runProcess({ ...bubblewrapCommand(probeSandbox), cwd: '/' })
    return { usable: true }
  } catch (error) {
    if (!isZosError(error)) throw error
    if (error.code === 'HOST_TOOL_MISSING') {
      const missing = new ZosError('SANDBOX_UNAVAILABLE', 'the program bwrap is not there', {
        exit: ExitCode.host,
        hint: 'apt-get install bubblewrap',
        cause: error,
      })
      return { usable: false, error: missing }
    }
    if (error.code !== 'PROCESS_FAILED') throw error
    return { usable: false, error: sandboxUnavailable(String(error.data.stderr)) }
  }
}
