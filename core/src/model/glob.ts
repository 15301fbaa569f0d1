import { ZosError } from '../error.js'
import { Directory } from './tree-node.js'
import { joinPath, quote, splitPath } from './tree-path.js'
import { type Found, find } from './tree-walk.js'

/** One name of a pattern: `**`, plain text, or text with `*` and `?`. */
type Part = { readonly kind: 'deep' } | { readonly kind: 'plain' | 'wild'; readonly text: string }

/** The part of a pattern that the next name has to match, and what comes after it. */
interface State {
  readonly part: Part
  readonly next: State | undefined
}

const mostAlternatives = 1024

const refuse = (pattern: string, found: string, hint: string): never => {
  throw new ZosError('TREE_GLOB', `the pattern ${quote(pattern)} ${found}`, { hint })
}

/** `{a,b}` written out, nested ones too: every alternative as its own pattern. */
const alternatives = (pattern: string): string[] => {
  const done: string[] = []
  const open = [pattern]
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const group = /\{([^{}]*)\}/.exec(text)
    if (group === null) {
      if (/[{}]/.test(text)) refuse(pattern, 'has a brace without its partner', 'write alternatives as {a,b}')
      done.push(text)
      continue
    }
    const [before, after] = [text.slice(0, group.index), text.slice(group.index + group[0].length)]
    for (const choice of group[1]!.split(',')) open.push(before + choice + after)
    if (done.length + open.length > mostAlternatives) {
      refuse(pattern, `stands for more than ${mostAlternatives} patterns`, 'use fewer {a,b}')
    }
  }
  return done
}

const partsOf = (alternative: string, pattern: string): Part[] => {
  if (!alternative.startsWith('/')) refuse(pattern, 'is not absolute', 'begin every alternative with /')
  return splitPath(alternative).map((text): Part => {
    if (text === '**') return { kind: 'deep' }
    if (text === '' || text === '.' || text === '..') {
      refuse(pattern, 'is not in normal form', 'leave out ".", "..", "//" and a "/" at the end')
    }
    if (text.includes('**')) refuse(pattern, `has ** inside the name ${quote(text)}`, '** stands alone between slashes')
    return { kind: /[*?]/.test(text) ? 'wild' : 'plain', text }
  })
}

/** `*` any run of characters, `?` one; at most the product of both lengths in time. */
const matchesName = (pattern: string, name: string): boolean => {
  const wanted = [...pattern]
  const given = [...name]
  let [p, n, star, resume] = [0, 0, -1, 0]
  while (n < given.length) {
    if (wanted[p] === '*') {
      star = p++
      resume = n
    } else if (p < wanted.length && (wanted[p] === '?' || wanted[p] === given[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else {
      return false
    }
  }
  while (wanted[p] === '*') p++
  return p === wanted.length
}

/** The first state of a pattern; `**` twice in a row says no more than once. */
const compile = (parts: readonly Part[]): State =>
  parts.reduceRight<State | undefined>(
    (next, part) => (part.kind === 'deep' && next?.part.kind === 'deep' ? next : { part, next }),
    undefined,
  )!

/** A state, and the one after it where `**` may stand for no name at all: everywhere but at the end. */
const reach = (state: State): State[] =>
  state.part.kind === 'deep' && state.next !== undefined ? [state, state.next] : [state]

/** The states after a name, and whether a pattern ends with it. */
const step = (states: ReadonlySet<State>, name: string): { after: Set<State>; matched: boolean } => {
  const after = new Set<State>()
  let matched = false
  for (const state of states) {
    const { part, next } = state
    if (part.kind === 'deep') {
      matched ||= next === undefined
      after.add(state)
      if (next !== undefined) after.add(next)
    } else if (part.kind === 'plain' ? part.text === name : matchesName(part.text, name)) {
      matched ||= next === undefined
      if (next !== undefined) for (const state of reach(next)) after.add(state)
    }
  }
  return { after, matched }
}

/** Plain names in front lead through directory links, as any path does; what follows is matched against real names. */
const anchored = (root: Directory, parts: readonly Part[]): State[] => {
  const wild = parts.findIndex(({ kind }) => kind !== 'plain')
  const length = wild < 0 ? parts.length - 1 : wild
  const prefix = parts.slice(0, length).map((part) => (part as { text: string }).text)
  const found = find(root, `/${prefix.join('/')}`, 'follow')
  if (!(found?.node instanceof Directory)) return []
  const front = splitPath(found.path).map((text): Part => ({ kind: 'plain', text }))
  return reach(compile([...front, ...parts.slice(length)]))
}

/** What matches a pattern, in the order of records; see `FileTree.glob`. */
export function* globNodes(root: Directory, pattern: string): Generator<Found> {
  const all = alternatives(pattern).map((alternative) => partsOf(alternative, pattern))
  const states = all.filter((parts) => parts.length > 0).flatMap((parts) => anchored(root, parts))
  yield* matchBelow(root, '/', new Set(states))
}

function* matchBelow(directory: Directory, path: string, states: ReadonlySet<State>): Generator<Found> {
  const plain = new Set<string>()
  let others = false
  for (const { part } of states) {
    if (part.kind === 'plain') plain.add(part.text)
    else others = true
  }
  for (const name of others ? directory.names : [...plain].sort()) {
    const node = directory.children.get(name)
    if (node === undefined) continue
    const { after, matched } = step(states, name)
    const here = joinPath(path, name)
    if (matched) yield { path: here, node }
    if (after.size > 0 && node instanceof Directory) yield* matchBelow(node, here, after)
  }
}
