import { createWriteStream, type WriteStream } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ExitCode, redact, ZosError } from '../error.js'
import { killGroup, ownGroup } from './process-group.js'
import { createTail, eachLine } from './process-lines.js'

/** A program to run, as data: what `xCommand(…)` functions give. */
export interface Command {
  /** A path, or a name to be found in `env.PATH`. */
  readonly file: string
  readonly args: readonly string[]
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
}

export type OutputStream = 'stdout' | 'stderr'

export interface ProcessRequest extends Command {
  /** Absolute; must exist. */
  readonly cwd: string
  /** What it reads: a text, bytes, or a stream, which need not end before the program does. */
  readonly stdin?: string | Uint8Array | Readable
  /** An open descriptor that the program gets as its descriptor 3. */
  readonly descriptor?: number
  /** `collect` (default) gives stdout back; `lines` sends it where stderr goes, to `onLine` and `logFile`. */
  readonly stdout?: 'collect' | 'lines'
  /** Most bytes of stdout that are collected (default 64 MiB); more ends the program with `PROCESS_OUTPUT`. */
  readonly maxOutput?: number
  /** Gets every line, redacted, without its end; longer lines come in pieces of 64 KiB. */
  readonly onLine?: (line: string, stream: OutputStream) => void
  /** Gets the same lines, appended. */
  readonly logFile?: string
  readonly signal?: AbortSignal
  /** Milliseconds between TERM and KILL when the run is aborted (default 4000: all is over within 5 s). */
  readonly killAfter?: number
  /** Texts that are masked wherever they would be shown, besides credentials in URLs. */
  readonly secrets?: readonly string[]
  /** What brings the program where it is missing: `apt-get install git`. */
  readonly install?: string
}

export interface ProcessResult {
  readonly stdout: Buffer
  /** The last 64 KiB, redacted. */
  readonly stderr: string
  readonly milliseconds: number
}

const defaultMaxOutput = 64 << 20
const shownLines = 12
/** A command line is shown up to this length; `data.argv` has all of it. */
const longestTitle = 160

const missing = async ({ file, cwd, install }: ProcessRequest, cause: unknown): Promise<ZosError> => {
  const folder = await access(cwd).then(
    () => true,
    () => false,
  )
  if (!folder) return new ZosError('PROCESS_FOLDER', `${cwd}, where ${file} should run, does not exist`, { cause })
  return new ZosError('HOST_TOOL_MISSING', `the program ${file} is not there, or may not be run`, {
    exit: ExitCode.host,
    hint: install ?? `install ${file}, or add its folder to PATH`,
    cause,
    data: { tool: file },
  })
}

const cut = (text: string): string => (text.length > longestTitle ? `${text.slice(0, longestTitle)}…` : text)

const closeLog = async (log: WriteStream | undefined): Promise<void> => {
  if (log === undefined) return
  log.end()
  await finished(log)
}

/**
 * Runs one program in a process group of its own, which is ended as a whole: with the program itself, on abort (TERM,
 * then KILL), and when zos exits. Errors: `PROCESS_FAILED` (`data`: argv, exitCode or signal, stderr), `PROCESS_OUTPUT`,
 * `HOST_TOOL_MISSING`, `PROCESS_FOLDER`, and the signal's reason.
 */
export const runProcess = async (request: ProcessRequest): Promise<ProcessResult> => {
  const { file, args, env, cwd, stdin, signal, killAfter = 4000, maxOutput = defaultMaxOutput } = request
  signal?.throwIfAborted()
  const secrets = (request.secrets ?? []).filter((secret) => secret !== '')
  const mask = (text: string): string => redact(secrets.reduce((rest, secret) => rest.replaceAll(secret, '•••'), text))
  const { execa } = await import('execa')
  const log = request.logFile === undefined ? undefined : createWriteStream(request.logFile, { flags: 'a' })
  log?.on('error', () => {})
  const start = performance.now()
  const child = execa(file, args, {
    env,
    extendEnv: false,
    cwd,
    stdio: [
      stdin === undefined ? 'ignore' : 'pipe',
      'pipe',
      'pipe',
      // The types know descriptors below 10 alone.
      ...(request.descriptor === undefined ? [] : [request.descriptor as 3]),
    ],
    ...(stdin !== undefined && { input: stdin }),
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    encoding: 'buffer',
  })
  const chunks: Buffer[] = []
  let collected = 0
  let flooded = false
  const tail = createTail()
  const group = ownGroup(child.pid)
  const abort = (): void => group.end(killAfter)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()

  const show = (stream: OutputStream) =>
    eachLine((line) => {
      const text = mask(line)
      if (stream === 'stderr') tail.add(text)
      request.onLine?.(text, stream)
      log?.write(`${text}\n`)
    })
  const err = show('stderr')
  child.stderr.on('data', err.add)
  const out = show('stdout')
  child.stdout.on('data', (chunk: Buffer) => {
    if (request.stdout === 'lines') return out.add(chunk)
    collected += chunk.length
    if (collected <= maxOutput) chunks.push(chunk)
    else if (!flooded) {
      flooded = true
      group.end(0)
    }
  })
  // What the program left running would keep its pipes open. An aborted group still has its time to clean up.
  child.once('exit', () => signal?.aborted || killGroup(child.pid, 'SIGKILL'))

  const result = await child
  group.gone()
  signal?.removeEventListener('abort', abort)
  err.end()
  out.end()
  await closeLog(log)
  signal?.throwIfAborted()

  if (result.exitCode === 0 && !flooded) {
    return { stdout: Buffer.concat(chunks), stderr: tail.text(), milliseconds: performance.now() - start }
  }
  if (result.code === 'ENOENT' || result.code === 'EACCES') throw await missing(request, result.cause)
  const argv = [file, ...args].map(mask)
  if (flooded) {
    throw new ZosError('PROCESS_OUTPUT', `${file} wrote more than ${maxOutput} bytes to its output`, { data: { argv } })
  }
  const how = result.signal === undefined ? `exit code ${result.exitCode}` : `signal ${result.signal}`
  const said = tail.last(shownLines).map((line) => `\n  ${line}`)
  throw new ZosError('PROCESS_FAILED', `${cut(argv.join(' '))} ended with ${how}${said.join('')}`, {
    cause: result.cause,
    data: {
      argv,
      ...(result.exitCode !== undefined && { exitCode: result.exitCode }),
      ...(result.signal !== undefined && { signal: result.signal }),
      stderr: tail.text(),
    },
  })
}
