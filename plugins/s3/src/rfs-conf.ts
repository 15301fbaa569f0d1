// The classic rfs.conf: shell assignments, `KEY=value`, with or without quotes. Read, never run.
import { closest, ExitCode, ZosError } from '@zos/core'

/** Every key that the classic file knows. */
export const rfsConfKeys = [
  'S3_ENDPOINT',
  'S3_REGION',
  'S3_BUCKET',
  'S3_PREFIX',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'READ_ACCESS_KEY',
  'READ_SECRET_KEY',
  'ROUTE_ENDPOINT',
  'ROUTE_PATH',
  'ROUTE_REGION',
  'MANIFESTS_SUBPATH',
  'UPLOAD_MANIFESTS',
  'KERNEL_SUBPATH',
  'UPLOAD_KERNEL',
  'WEB_ENDPOINT',
] as const
export type RfsConfKey = (typeof rfsConfKeys)[number]
export type RfsConf = Readonly<Partial<Record<RfsConfKey, string>>>

const assignment = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/
/** One word of a shell: quoted in one way, or bare; then perhaps a comment. */
const word = /^(?:"((?:[^"\\$`]|\\["\\$`])*)"|'([^']*)'|([^\s"'\\$`;&|<>()#]*))(?:\s+#.*|\s*)$/

/**
 * Reads the text of a file; `name` is for errors, which show line and key but never a value. Anything that only a shell
 * could work out (`$OTHER`, `` `command` ``) is `RFS_CONF`. `WEB_ENDPOINT` is taken and means nothing.
 */
export const parseRfsConf = (text: string, name: string): RfsConf => {
  const found: Partial<Record<RfsConfKey, string>> = {}
  const wrong = (line: number, what: string, hint: string): ZosError =>
    new ZosError('RFS_CONF', `${name}, line ${line}: ${what}`, { hint, exit: ExitCode.config })
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, key, value = ''] = assignment.exec(line) ?? []
    if (key === undefined) throw wrong(index + 1, 'this is no assignment', 'expected KEY=value')
    const known = rfsConfKeys.find((one) => one === key)
    if (!known) {
      const [near] = closest(key, rfsConfKeys)
      throw wrong(
        index + 1,
        `unknown key ${key}`,
        near ? `did you mean ${near}?` : `known keys: ${rfsConfKeys.join(' ')}`,
      )
    }
    const parts = word.exec(value)
    if (!parts)
      throw wrong(
        index + 1,
        `the value of ${key} is no plain text`,
        'quote it; variables and commands of a shell are not run',
      )
    found[known] = parts[1]?.replace(/\\(["\\$`])/g, '$1') ?? parts[2] ?? parts[3] ?? ''
  }
  return found
}
