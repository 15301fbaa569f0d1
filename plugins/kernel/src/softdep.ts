import { canonicalName } from './module-name.js'

/** What a module would like to have loaded, as names of modules or aliases. */
export interface Softdeps {
  /** Loaded before the module, when there. */
  readonly pre: readonly string[]
  /** Loaded after it, when there. */
  readonly post: readonly string[]
  /** Never loaded by modprobe; the driver asks for them itself, so they belong into the image. */
  readonly weak: readonly string[]
}

/**
 * Joins the `softdep=` and `weakdep=` values of one module. A value is `pre: A B post: C`; libkmod takes no notice of
 * names before the first `pre:` or `post:` (`softdep=aes` in cifs), here they count as weak. Names are canonical.
 */
export const parseSoftdeps = (softdeps: readonly string[], weakdeps: readonly string[]): Softdeps => {
  const found = { pre: new Set<string>(), post: new Set<string>(), weak: new Set<string>() }
  for (const value of softdeps) {
    let kind: keyof Softdeps = 'weak'
    for (const word of words(value)) {
      if (word === 'pre:') kind = 'pre'
      else if (word === 'post:') kind = 'post'
      else found[kind].add(canonicalName(word))
    }
  }
  for (const value of weakdeps) for (const word of words(value)) found.weak.add(canonicalName(word))
  return { pre: [...found.pre], post: [...found.post], weak: [...found.weak] }
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')
