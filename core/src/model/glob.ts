import { ZosError } from '../error.js'
import { Directory } from './tree-node.js'
import { joinPath, quote, splitPath } from './tree-path.js'
import { type Found, find } from './tree-walk.js'

/** One name of a pattern: `**`, plain text, or text with `*` and `?`. */
type Part = { readonly kind: 'deep' } | { readonly kind: 'plain' | 'wild'; readonly text: string }

/** A place in one of the alternatives of a pattern: the part that the next name has to match. */
interface State {
  readonly parts: readonly Part[]
  readonly next: number
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

/** `*` any run of characters, `?` one; linear in time but for the last `*`, so no pattern is slow. */
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

/** `**` also stands for no name at all, except at the end. */
const withSkips = ({ parts, next }: State): State[] =>
  parts[next]?.kind === 'deep' && next < parts.length - 1
    ? [{ parts, next }, ...withSkips({ parts, next: next + 1 })]
    : [{ parts, next }]

/** The states after a name, and whether a pattern ends with it. */
const step = (states: readonly State[], name: string): { after: State[]; matched: boolean } => {
  const after: State[] = []
  let matched = false
  const advance = (state: State) => {
    if (!after.some(({ parts, next }) => parts === state.parts && next === state.next)) after.push(state)
  }
  for (const state of states) {
    const part = state.parts[state.next]!
    const last = state.next === state.parts.length - 1
    if (part.kind === 'deep') {
      matched ||= last
      for (const next of withSkips(state)) advance(next)
    } else if (part.kind === 'plain' ? part.text === name : matchesName(part.text, name)) {
      matched ||= last
      if (!last) for (const next of withSkips({ parts: state.parts, next: state.next + 1 })) advance(next)
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
  return withSkips({ parts: [...front, ...parts.slice(length)], next: 0 })
}

/** What matches a pattern, in the order of records; see `FileTree.glob`. */
export function* globNodes(root: Directory, pattern: string): Generator<Found> {
  const all = alternatives(pattern).map((alternative) => partsOf(alternative, pattern))
  const states = all.filter((parts) => parts.length > 0).flatMap((parts) => anchored(root, parts))
  yield* matchBelow(root, '/', states)
}

function* matchBelow(directory: Directory, path: string, states: readonly State[]): Generator<Found> {
  const plain = new Set<string>()
  let others = false
  for (const { parts, next } of states) {
    const part = parts[next]!
    if (part.kind === 'plain') plain.add(part.text)
    else others = true
  }
  for (const name of others ? directory.names : [...plain].sort()) {
    const node = directory.children.get(name)
    if (node === undefined) continue
    const { after, matched } = step(states, name)
    const here = joinPath(path, name)
    if (matched) yield { path: here, node }
    if (after.length > 0 && node instanceof Directory) yield* matchBelow(node, here, after)
  }
}
