// What went wrong with an object store, in words, and whether another try can help.
import { ExitCode, isZosError, ZosError } from '../error.js'
import { transportFailure } from './http-failure.js'

interface Kind {
  readonly code: string
  readonly words: string
  readonly hint: string
}

const credentials: Kind = {
  code: 'OBJECTS_CREDENTIALS',
  words: 'the server does not accept the access key or the secret key',
  hint: 'compare both keys with those that the server knows',
}
const denied: Kind = {
  code: 'OBJECTS_DENIED',
  words: 'access is denied (403)',
  hint: "does the user's policy allow this, in this bucket and prefix? is there such a bucket? are the keys right?",
}
const clock: Kind = {
  code: 'OBJECTS_CLOCK',
  words: 'the clocks of this machine and of the server differ by more than the server allows (15 minutes)',
  hint: 'set the clock of this machine (timedatectl), or of the server',
}
const bucket: Kind = {
  code: 'OBJECTS_BUCKET',
  words: 'there is no such bucket',
  hint: 'make the bucket, or name another: S3_BUCKET',
}
const region: Kind = {
  code: 'OBJECTS_REGION',
  words: 'the server is in another region',
  hint: 'name the region of the server: S3_REGION',
}
const full: Kind = {
  code: 'OBJECTS_FULL',
  words: 'the store is full',
  hint: 'make room there; what has been sent whole stays, and the next run goes on from it',
}
const changed: Kind = {
  code: 'OBJECT_CHANGED',
  words: 'somebody else has written it since it was looked at',
  hint: 'run this again',
}
const unsupported: Kind = {
  code: 'OBJECTS_UNSUPPORTED',
  words: 'the server does not know such a request',
  hint: 'a newer version of the server may',
}
const missing: Kind = { code: 'OBJECT_MISSING', words: 'there is no such object', hint: 'compare the address' }

/** By the code in an S3 error answer. */
const answers: Readonly<Record<string, Kind>> = {
  InvalidAccessKeyId: credentials,
  SignatureDoesNotMatch: credentials,
  InvalidToken: credentials,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  RequestTimeTooSkewed: clock,
  NoSuchBucket: bucket,
  AuthorizationHeaderMalformed: region,
  PermanentRedirect: region,
  XMinioStorageFull: full,
  XMinioDiskFull: full,
  InsufficientStorage: full,
  QuotaExceeded: full,
  XMinioAdminBucketQuotaExceeded: full,
  PreconditionFailed: changed,
  ConditionalRequestConflict: changed,
  NotImplemented: unsupported,
  NoSuchKey: missing,
  NotFound: missing,
  // By the code of a system call on a folder.
  EACCES: denied,
  EPERM: denied,
  EROFS: denied,
  ENOSPC: full,
  EDQUOT: full,
  ENOENT: missing,
}

/** Answers that another try may change; a server that is busy says so in several ways. */
const passing = new Set(['SlowDown', 'InternalError', 'ServiceUnavailable', 'RequestTimeout', 'OperationAborted'])

export interface ObjectFailure {
  readonly error: ZosError
  readonly worthRetrying: boolean
}

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''

/** The S3 client hides the answer behind a status that could be tried again. */
const statusOf = (cause: unknown): string | undefined =>
  cause instanceof Error ? /Retryable HTTP status: (\d+)/.exec(cause.message)?.[1] : undefined

const errorOf = (url: string, { code, words, hint }: Kind, cause: unknown): ZosError =>
  new ZosError(code, `${url}: ${words}`, { hint, cause, exit: ExitCode.fetch, data: { url } })

/** Turns what a client or the file system threw into the error that people see. `url` shows no credentials. */
export const objectFailure = (url: string, cause: unknown): ObjectFailure => {
  if (isZosError(cause)) return { error: cause, worthRetrying: false }
  const code = codeOf(cause)
  const kind = answers[code]
  if (kind) return { error: errorOf(url, kind, cause), worthRetrying: false }
  const status = statusOf(cause)
  const isAnswer = cause instanceof Error && cause.constructor.name === 'S3Error'
  if (status !== undefined || isAnswer) {
    const words = `the server answered ${status ?? (code || 'an error')}${isAnswer ? `: ${(cause as Error).message}` : ''}`
    const hint = 'look into the log of the server; what has been sent whole stays, and the next run goes on from it'
    return {
      error: errorOf(url, { code: 'OBJECTS_SERVER', words, hint }, cause),
      worthRetrying: status !== undefined || passing.has(code),
    }
  }
  if (url.startsWith('dir:')) {
    const words = cause instanceof Error ? cause.message : String(cause)
    const hint = 'is there something in the way that is no folder?'
    return { error: errorOf(url, { code: 'OBJECTS_FOLDER', words, hint }, cause), worthRetrying: false }
  }
  const failure = transportFailure(cause)
  const hint =
    failure.kind === 'certificate'
      ? 'name the file of your own certificate authority in NODE_EXTRA_CA_CERTS'
      : 'is the server up, and are host, port and s3:// or s3s:// right? what has been sent whole stays'
  return {
    error: errorOf(url, { code: 'OBJECTS_UNREACHABLE', words: failure.message, hint }, cause),
    worthRetrying: failure.worthRetrying,
  }
}

export const objectChanged = (url: string): ZosError => errorOf(url, changed, undefined)

export const objectTooLarge = (url: string, limit: number): ZosError =>
  new ZosError('OBJECT_SIZE', `${url}: more than ${limit} bytes`, { exit: ExitCode.fetch })
