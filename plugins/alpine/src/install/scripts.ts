// What installation scripts do, read and not run. In doubt a script does something.
import type { ScriptName } from '../format/write-apk.js'
import type { Accounts, Group, User } from './accounts.js'

/** Scripts that apk runs when it installs; those for upgrades and removals have no part in a new image. */
export const installScripts = ['pre-install', 'post-install', 'trigger'] as const satisfies readonly ScriptName[]

/** Lines that do nothing for an image: how scripts begin and end, and what they say. */
const idle = [
  /^set -[eux]+$/,
  /^(exit 0|:|true|return 0|fi|done|esac|\}|then|else)$/,
  /^(echo|cat|printf)\b(?!.*>\s*[^&\s]).*$/,
]

/** `addgroup -S -g 42 shadow`, each option with its value. */
const command =
  /^(?:\/bin\/busybox |\/usr\/sbin\/|busybox )?(addgroup|adduser)\s+(.+?)\s*(?:[0-9]?>&?\s*\S+\s*)*(?:\|\|\s*(?:true|:|exit 0)\s*)?;?$/
const word = /"([^"$`\\]*)"|'([^']*)'|([^\s"'$`\\]+)/gy

/** The words of a command line without variables and substitutions; `undefined` where it has some. */
const wordsOf = (text: string): string[] | undefined => {
  const words: string[] = []
  for (let at = 0; at < text.length; ) {
    const blank = /\s+/y
    blank.lastIndex = at
    if (blank.test(text)) at = blank.lastIndex
    if (at >= text.length) break
    word.lastIndex = at
    const match = word.exec(text)
    if (!match) return undefined
    words.push(match[1] ?? match[2] ?? match[3]!)
    at = word.lastIndex
  }
  return words
}

/** Options of busybox's addgroup and adduser that take a value. */
const valued = { addgroup: 'g', adduser: 'hgsGuk' } as const

const parsed = (tool: 'addgroup' | 'adduser', words: readonly string[]) => {
  const options = new Map<string, string>()
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const one = words[index]!
    if (!one.startsWith('-') || one === '-') rest.push(one)
    else
      for (const letter of one.slice(1)) {
        if (valued[tool].includes(letter)) options.set(letter, words[++index] ?? '')
        else options.set(letter, '')
      }
  }
  return { options, rest }
}

const name = /^[a-z_][a-z0-9_.-]{0,31}$/i
const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined

/** One line as accounts, or `undefined` where it is none that can be read. */
const accountsOf = (line: string): Accounts | undefined => {
  const [, tool, rest = ''] = command.exec(line) ?? []
  const words = tool === undefined ? undefined : wordsOf(rest)
  if (!words) return undefined
  if (tool === 'addgroup') {
    const { options, rest: names } = parsed('addgroup', words)
    const [first = '', second] = names
    if (!names.every((one) => name.test(one))) return undefined
    if (names.length === 2) return { users: [member(first, second!)], groups: [] }
    const gid = numberOf(options.get('g'))
    const group: Group = { name: first, ...(gid !== undefined && { gid }) }
    return names.length === 1 ? { users: [], groups: [group] } : undefined
  }
  const { options, rest: names } = parsed('adduser', words)
  const [first = '', second] = names
  if (!names.every((one) => name.test(one))) return undefined
  if (names.length === 2) return { users: [member(first, second!)], groups: [] }
  if (names.length !== 1) return undefined
  const uid = numberOf(options.get('u'))
  const user: User = {
    name: first,
    ...(uid !== undefined && { uid }),
    // Without -G busybox makes a group of the user's name, but for system users, which get nogroup.
    group: options.get('G') ?? (options.has('S') ? 'nogroup' : first),
    ...(options.get('g') !== undefined && { comment: options.get('g')! }),
    home: options.get('h') ?? `/home/${first}`,
    shell: options.get('s') ?? '/sbin/nologin',
  }
  return { users: [user], groups: [] }
}

/** A user who is only added to a group: the rest is there, or comes from another line. */
const member = (user: string, group: string): User => ({
  name: user,
  group: user,
  home: '/',
  shell: '/sbin/nologin',
  groups: [group],
})

/** Lines that end in a backslash go on; comments are none. */
const linesOf = (script: string): string[] =>
  script
    .replace(/\r/g, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

/** The users and groups that a script adds by plain commands. */
export const accountsIn = (script: string): Accounts => {
  const found = linesOf(script).flatMap((line) => accountsOf(line) ?? [])
  return {
    users: mergeMembers(found.flatMap(({ users }) => users)),
    groups: found.flatMap(({ groups }) => groups),
  }
}

/** `adduser user group` after the user itself only adds to it. */
const mergeMembers = (users: readonly User[]): User[] => {
  const merged = new Map<string, User>()
  for (const user of users) {
    const known = merged.get(user.name)
    if (!known) merged.set(user.name, user)
    else
      merged.set(user.name, {
        ...(user.groups ? known : user),
        groups: [...(known.groups ?? []), ...(user.groups ?? [])],
      })
  }
  return [...merged.values()]
}

/** Whether a script may do something beside adding accounts that an image needs. */
export const mayMatter = (script: string): boolean =>
  linesOf(script).some((line) => !idle.some((form) => form.test(line)) && accountsOf(line) === undefined)
