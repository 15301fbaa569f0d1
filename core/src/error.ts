/** Exit codes of the `zos` program, one a class of failure. */
export const ExitCode = {
  ok: 0,
  /** A step of the build failed: an action, a check, a tap. */
  build: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The config is wrong. */
  config: 3,
  /** The lock is missing or stale where it has to be fresh. */
  lock: 4,
  /** Something from outside could not be had, or was not what the lock says. */
  fetch: 5,
  /** A tool of the host is missing or too old. */
  host: 6,
  /** The store cannot be used: full, read-only, of another format. */
  store: 7,
  /** A defect of zos itself. */
  internal: 70,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Where an error arose; the printer shows it as `[plugin, hook] subject`. */
export interface ErrorPlace {
  readonly plugin?: string
  readonly hook?: string
  readonly subject?: string
}

export interface ZosErrorOptions extends ErrorPlace {
  /** What to do now: one or more lines, each a sentence or a command. */
  readonly hint?: string | readonly string[]
  readonly cause?: unknown
  readonly exit?: ExitCode
  /** Facts for `--json`, plain data. */
  readonly data?: Readonly<Record<string, unknown>>
}

const brand = Symbol.for('zos.error')

/**
 * The one error that people see. `code` is stable (`DEBIAN_UNSOLVABLE`), `message` says what was found and what was
 * expected, `hint` what to do. Credentials in URLs are redacted when the error is made.
 */
export class ZosError extends Error {
  readonly [brand] = true
  readonly code: string
  readonly hint: readonly string[]
  readonly exit: ExitCode
  readonly data: Readonly<Record<string, unknown>>
  place: ErrorPlace

  constructor(code: string, message: string, options: ZosErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ZosError'
    this.code = code
    this.hint = (typeof options.hint === 'string' ? [options.hint] : (options.hint ?? [])).map(redact)
    this.exit = options.exit ?? ExitCode.build
    this.data = options.data ?? {}
    const { plugin, hook, subject } = options
    this.place = { ...(plugin && { plugin }), ...(hook && { hook }), ...(subject && { subject }) }
  }

  /** Fills in what the thrower could not know; what is there already stays. */
  at(place: ErrorPlace): this {
    this.place = { ...place, ...this.place }
    return this
  }
}

export const isZosError = (error: unknown): error is ZosError =>
  typeof error === 'object' && error !== null && brand in error

const diskWords: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EIO: 'the disk does not read or write',
}

/** What a full, read-only or failing disk says, as an error: whoever meets it, it is the store's, where all work lies. */
export const diskError = (cause: unknown): ZosError | undefined => {
  const { code, path, message } = (cause ?? {}) as NodeJS.ErrnoException
  const words = diskWords[code ?? '']
  if (words === undefined) return undefined
  return new ZosError('STORE_WRITE', `${words}${path ? ` at ${path}` : ''}: ${message}`, {
    hint: 'make room for the store, or name another folder with ZOS_STORE',
    exit: ExitCode.store,
    cause,
  })
}

const secrets = new Set<string>()
/** Characters; to mask shorter texts would mask words. */
const shortestSecret = 4

/** Makes a secret's value known to this process, so that it is masked in everything that is said from now on. */
export const hideSecret = (value: string | undefined): void => {
  if (value !== undefined && value.length >= shortestSecret) secrets.add(value)
}

/** Masks known secrets, `user:password@` in every URL of a text, and the values of credentials in query strings. */
export const redact = (text: string): string =>
  [...secrets]
    .reduce((rest, secret) => rest.replaceAll(secret, '•••'), text)
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1•••@')
    .replace(/([?&](?:X-Amz-Signature|X-Amz-Credential|token|access_token|password|secret)=)[^&\s]+/gi, '$1•••')
