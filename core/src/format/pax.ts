import { Buffer } from 'node:buffer'
import { decodeUtf8 } from './archive-path.js'

/** PAX records by keyword; values are bytes, since `SCHILY.xattr.*` holds any. */
export type PaxRecords = ReadonlyMap<string, Uint8Array>

/**
 * Parses the content of a PAX extended header (POSIX.1-2017, pax, "Extended Header"): `LENGTH KEYWORD=VALUE\n` each,
 * the length in decimal and counting the whole record. `{ problem }` says where it is malformed.
 */
export const parsePax = (bytes: Uint8Array): PaxRecords | { readonly problem: string } => {
  const records = new Map<string, Uint8Array>()
  for (let start = 0; start < bytes.length; ) {
    let cursor = start
    let length = 0
    for (let digit = digitAt(bytes, cursor); digit !== undefined; digit = digitAt(bytes, ++cursor)) {
      length = length * 10 + digit
      if (length > bytes.length) break
    }
    const end = start + length
    if (cursor === start || bytes[cursor] !== 0x20 || end > bytes.length || end <= cursor + 1) {
      return { problem: `a malformed record length at its byte ${start}` }
    }
    if (bytes[end - 1] !== 0x0a) return { problem: `a record at its byte ${start} that does not end in a newline` }
    const body = bytes.subarray(cursor + 1, end - 1)
    const equals = body.indexOf(0x3d)
    const keyword = equals > 0 ? decodeUtf8(body.subarray(0, equals)) : undefined
    if (keyword === undefined) return { problem: `a record without a keyword at its byte ${start}` }
    records.set(keyword, body.subarray(equals + 1))
    start = end
  }
  return records
}

const digitAt = (bytes: Uint8Array, at: number): number | undefined => {
  const code = bytes[at] ?? 0
  return code >= 0x30 && code <= 0x39 ? code - 0x30 : undefined
}

/** One PAX record as bytes. */
export const paxRecord = (keyword: string, value: string | Uint8Array): Uint8Array => {
  const body = Buffer.concat([Buffer.from(` ${keyword}=`), Buffer.from(value), Buffer.from('\n')])
  let length = body.length
  while (String(length).length + body.length !== length) length = String(length).length + body.length
  return Buffer.concat([Buffer.from(String(length)), body])
}
