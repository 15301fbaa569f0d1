import { isZosError, ZosError } from '@zos/core'

/**
 * Splits a command line into words by the quoting rules of a POSIX shell, without expanding anything; `#` at the start
 * of a word comments the rest of the line out. This is what zinit 0.2 does to `exec` and `test`.
 * An open quote or a trailing backslash throws `ZINIT_WORDS`.
 */
export const splitWords = (text: string): string[] => {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!
    if (c === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) throw open(text, "'")
      word = (word ?? '') + text.slice(at + 1, end)
      at = end
    } else if (c === '"') {
      word ??= ''
      for (at++; text[at] !== '"'; at++) {
        if (at >= text.length) throw open(text, '"')
        if (text[at] === '\\' && '$`"\\\n'.includes(text[at + 1] ?? ' ')) {
          at++
          if (text[at] === '\n') continue
        }
        word += text[at]
      }
    } else if (c === '\\') {
      at++
      if (at >= text.length) throw open(text, '\\')
      if (text[at] !== '\n') word = (word ?? '') + text[at]
    } else if (c === ' ' || c === '\t' || c === '\n') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (c === '#' && word === undefined) {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else {
      word = (word ?? '') + c
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

const open = (text: string, what: string) =>
  new ZosError('ZINIT_WORDS', `the command line ends inside ${what === '\\' ? 'a backslash' : what}: ${text}`, {
    hint: 'close the quote, or put what is meant literally into single quotes',
  })

const harmless = /^[A-Za-z0-9_@%+:,./-]+$/
const harmlessLater = /^[A-Za-z0-9_@%+:,./=-]+$/

const quoteWord = (word: string, first: boolean): string => {
  if ((first ? harmless : harmlessLater).test(word)) return word
  if (!word.includes("'")) return `'${word}'`
  if (!/["$`\\!]/.test(word)) return `"${word}"`
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** One command line that splits into exactly these words, and that a shell runs without expanding anything. */
export const joinWords = (words: readonly string[]): string =>
  words.map((word, index) => quoteWord(word, index === 0)).join(' ')

/** What a shell takes as the first word for itself, in a way that no program can stand in for. */
const shellOnly = new Set(
  (
    '! . : { } alias bg break case cd command continue do done elif else esac eval exec exit export fg fi for function if in ' +
    'jobs local read readonly return set shift source then time times trap type ulimit umask unalias unset until wait while'
  ).split(' '),
)

/** Whether a shell would do more with a text than split it: expand, redirect, join commands, set variables. */
const needsShell = (text: string): boolean => {
  if (/^\s*[^\s='"]*=/.test(text)) return true
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!
    if (c === '\\') at++
    else if (c === "'") at = Math.max(at, text.indexOf("'", at + 1))
    else if (c === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\') at++
        else if (text[at] === '$' || text[at] === '`') return true
      }
    } else if ('|&;<>()$`*?[]{}~!#\n'.includes(c)) return true
  }
  return false
}

/** The words of a shell command line if splitting is all that the shell would do with it, else `undefined`. */
export const plainWords = (text: string): string[] | undefined => {
  if (needsShell(text)) return undefined
  const words = splitWords(text)
  return words.length === 0 || shellOnly.has(words[0]!) ? undefined : words
}

const shell = '/bin/sh'

/** A command line without a shell for one that was written for `sh -c`, as zinit 0.3 runs it. */
export const fromShell = (text: string): string => joinWords(plainWords(text) ?? [shell, '-c', text])

/** Runs a function that splits words; where they cannot be split, throws `ZINIT_UNIT` that begins with `where`. */
export const splittingAt = <T>(where: string, run: () => T): T => {
  try {
    return run()
  } catch (error) {
    if (!isZosError(error) || error.code !== 'ZINIT_WORDS') throw error
    throw new ZosError('ZINIT_UNIT', `${where}: ${error.message}`, { hint: error.hint })
  }
}

/** The opposite of `fromShell`: what to hand to `sh -c` so that these words run. */
export const toShell = (text: string): string => {
  const words = splitWords(text)
  const [program, flag, script] = words
  if (words.length === 3 && program === shell && flag === '-c' && script && !plainWords(script)) return script
  return joinWords(words)
}
