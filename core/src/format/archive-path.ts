const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of UTF-8 bytes, or `undefined` when they are not UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

export interface PathRules {
  /** Leading components to drop, as `tar --strip-components`. */
  readonly strip?: number
  /** What a leading `/` means: an error, or nothing. */
  readonly absolute?: 'refuse' | 'strip'
}

/**
 * The path of an archive member in a tree: absolute, without `.`, empty components and a trailing `/`. `/` stands for
 * the root itself and for members that `strip` leaves nothing of. `{ problem }` when the name would leave the tree.
 */
export const treePath = (name: string, rules: PathRules = {}): string | { readonly problem: string } => {
  if (name === '') return { problem: 'an empty name' }
  if (name.includes('\0')) return { problem: 'a NUL in its name' }
  if (name.startsWith('/') && rules.absolute !== 'strip')
    return { problem: 'an absolute name; expected a relative one' }
  const kept: string[] = []
  for (const component of name.split('/')) {
    if (component === '..') return { problem: "a '..' in its name; expected a path inside the archive" }
    if (component !== '' && component !== '.') kept.push(component)
  }
  return `/${(rules.strip ? kept.slice(rules.strip) : kept).join('/')}`
}
