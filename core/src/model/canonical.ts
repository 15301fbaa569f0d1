import { createHash } from 'node:crypto'

/** Plain data: what options, requests, pins and facts are made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** JSON with sorted keys and no spaces; `undefined` members are left out. Equal data gives equal text. */
export const canonical = (value: unknown): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonical(member)}`)
  }
  return `{${members.join(',')}}`
}

/** SHA-256 of bytes or text, as 64 hex digits. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** SHA-256 of the canonical text of plain data. */
export const digestOf = (value: unknown): string => sha256(canonical(value))

/** Plain data as it comes back from the store or the lock: keys sorted, nothing undefined. A first run sees what later ones see. */
export const normalized = <T>(value: T): T => JSON.parse(canonical(value)) as T
