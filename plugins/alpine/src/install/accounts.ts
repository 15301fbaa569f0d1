// Users and groups: what the packages' scripts would add with busybox's addgroup and adduser.

export interface Group {
  readonly name: string
  /** Fixed where the scripts fix it; else it follows from the name. */
  readonly gid?: number
}

export interface User {
  readonly name: string
  readonly uid?: number
  readonly group: string
  readonly comment?: string
  readonly home: string
  readonly shell: string
  /** Groups that it is added to. */
  readonly groups?: readonly string[]
}

export interface Accounts {
  readonly users: readonly User[]
  readonly groups: readonly Group[]
}

/** The files of accounts as text. */
export interface AccountFiles {
  readonly passwd: string
  readonly group: string
  readonly shadow: string
}

/** Where no package brings the files. */
export const minimalFiles: AccountFiles = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  group: 'root:x:0:root\ntty:x:5:\nshadow:x:42:\nnobody:x:65534:\n',
  shadow: 'root:*::0:::::\nnobody:!::0:::::\n',
}

/** Ids of system accounts that nothing fixes lie here; busybox would take the next free one, in the order of installing. */
const range = { first: 500, count: 400 }

const lines = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
const joined = (all: readonly (readonly string[])[]): string => all.map((fields) => `${fields.join(':')}\n`).join('')

/** FNV-1a, 32 bits: the id that a name gets where it is free. */
const startOf = (name: string): number => {
  let hash = 0x811c9dc5
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0
  return hash % range.count
}

/** An id that follows from the name, so that files on disks keep their owner whatever else is installed. */
const freeId = (name: string, taken: ReadonlySet<string>): string => {
  for (let step = 0; step < range.count; step++) {
    const id = String(range.first + ((startOf(name) + step) % range.count))
    if (!taken.has(id)) return id
  }
  throw new RangeError(`no id is left for ${name}`)
}

const ids = (all: readonly (readonly string[])[]): Set<string> => new Set(all.map((fields) => fields[2] ?? ''))

/** The files with further accounts in them; what is there already stays. The result does not depend on their order. */
export const addAccounts = (files: AccountFiles, { users, groups }: Accounts): AccountFiles => {
  const [passwd, group, shadow] = [lines(files.passwd), lines(files.group), lines(files.shadow)]
  const byName = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
    [...all].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const has = (all: readonly (readonly string[])[], name: string): boolean => all.some(([known]) => known === name)
  const wanted = [...groups, ...users.map(({ group: name }): Group => ({ name }))]
  // Fixed ids first, so that no other account takes them.
  for (const { name, gid } of [...byName(wanted.filter((one) => one.gid !== undefined)), ...byName(wanted)])
    if (!has(group, name)) group.push([name, 'x', gid === undefined ? freeId(name, ids(group)) : String(gid), ''])
  const gidOf = (name: string): string => group.find(([known]) => known === name)?.[2] ?? '65534'
  for (const user of [...byName(users.filter(({ uid }) => uid !== undefined)), ...byName(users)]) {
    const { name, uid, comment = name, home, shell } = user
    if (has(passwd, name)) continue
    const id = uid === undefined ? freeId(name, ids(passwd)) : String(uid)
    passwd.push([name, 'x', id, gidOf(user.group), comment, home, shell])
    if (!has(shadow, name)) shadow.push([name, '!', '', '0', '', '', '', '', ''])
  }
  for (const { name, groups: memberOf = [] } of byName(users))
    for (const one of memberOf) {
      const line = group.find(([known]) => known === one)
      const members = (line?.[3] ?? '').split(',').filter((member) => member !== '')
      if (line && !members.includes(name)) line[3] = [...members, name].join(',')
    }
  return { passwd: joined(passwd), group: joined(group), shadow: joined(shadow) }
}

/** Ids by name, of users or groups. */
export const idsByName = (text: string): Map<string, number> =>
  new Map(lines(text).map(([name = '', , id]) => [name, Number(id)]))
