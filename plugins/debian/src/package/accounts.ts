import { ZosError } from '@zos/core'

/** A user of the system; the ids are fixed, since files on disks outlive an image. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly comment?: string
  readonly home: string
  readonly shell?: string
}

export interface Group {
  readonly name: string
  readonly gid: number
  readonly members?: readonly string[]
}

export interface Accounts {
  readonly users: readonly Account[]
  readonly groups: readonly Group[]
}

const nologin = '/usr/sbin/nologin'

/** Where no package brings Debian's own list: what the kernel, devpts and file ownership in packages refer to. */
export const minimalAccounts: Accounts = {
  users: [
    { name: 'root', uid: 0, gid: 0, comment: 'root', home: '/root', shell: '/bin/sh' },
    { name: 'daemon', uid: 1, gid: 1, comment: 'daemon', home: '/usr/sbin' },
    { name: 'nobody', uid: 65534, gid: 65534, comment: 'nobody', home: '/nonexistent' },
  ],
  groups: [
    { name: 'root', gid: 0 },
    { name: 'daemon', gid: 1 },
    { name: 'adm', gid: 4 },
    { name: 'tty', gid: 5 },
    { name: 'disk', gid: 6 },
    { name: 'mail', gid: 8 },
    { name: 'kmem', gid: 15 },
    { name: 'dialout', gid: 20 },
    { name: 'shadow', gid: 42 },
    { name: 'utmp', gid: 43 },
    { name: 'video', gid: 44 },
    { name: 'staff', gid: 50 },
    { name: 'users', gid: 100 },
    { name: 'nogroup', gid: 65534 },
  ],
}

const lines = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))

const idOf = (text: string | undefined, file: string): number => {
  if (text !== undefined && /^\d{1,10}$/.test(text)) return Number(text)
  throw new ZosError('DEBIAN_ACCOUNTS', `${file}: '${text ?? ''}' is no user or group id`)
}

/** `passwd.master` and `group.master` of base-passwd (passwd(5), group(5)). Throws `DEBIAN_ACCOUNTS`. */
export const parseAccounts = (passwd: string, group: string): Accounts => ({
  users: lines(passwd).map(([name = '', , uid, gid, comment = '', home = '/', shell = '']) => ({
    name,
    uid: idOf(uid, 'passwd.master'),
    gid: idOf(gid, 'passwd.master'),
    comment,
    home,
    shell,
  })),
  groups: lines(group).map(([name = '', , gid, members = '']) => ({
    name,
    gid: idOf(gid, 'group.master'),
    members: members.split(',').filter((member) => member !== ''),
  })),
})

/** Both lists in one, by name; an id that two different names have is `DEBIAN_ACCOUNTS`. */
export const joinAccounts = (...all: readonly Accounts[]): Accounts => ({
  users: unique(
    all.flatMap(({ users }) => users),
    ({ uid }) => uid,
  ),
  groups: unique(
    all.flatMap(({ groups }) => groups),
    ({ gid }) => gid,
  ),
})

const unique = <T extends { readonly name: string }>(entries: readonly T[], idOfEntry: (entry: T) => number): T[] => {
  const byName = new Map<string, T>()
  const byId = new Map<number, T>()
  for (const entry of entries) {
    const known = byName.get(entry.name) ?? byId.get(idOfEntry(entry))
    if (known && (known.name !== entry.name || idOfEntry(known) !== idOfEntry(entry)))
      throw new ZosError(
        'DEBIAN_ACCOUNTS',
        `${known.name} (${idOfEntry(known)}) and ${entry.name} (${idOfEntry(entry)}) want one name or id`,
      )
    if (known) continue
    byName.set(entry.name, entry)
    byId.set(idOfEntry(entry), entry)
  }
  return [...byName.values()].sort((a, b) => idOfEntry(a) - idOfEntry(b))
}

/**
 * `/etc/passwd`, `group`, `shadow` and `gshadow`. Nobody has a password: `*` lets in by key, and by nothing else.
 * A shell that is not in the tree would lock root out, so `shellOf` may give another.
 */
export const accountFiles = (
  { users, groups }: Accounts,
  shellOf: (wanted: string) => string,
): Record<'passwd' | 'group' | 'shadow' | 'gshadow', string> => {
  const text = (fields: readonly (readonly (string | number)[])[]) =>
    fields.map((line) => `${line.join(':')}\n`).join('')
  return {
    passwd: text(
      users.map(({ name, uid, gid, comment = '', home, shell = nologin }) => [
        name,
        'x',
        uid,
        gid,
        comment,
        home,
        shell === '' || shell === nologin ? nologin : shellOf(shell),
      ]),
    ),
    group: text(groups.map(({ name, gid, members = [] }) => [name, 'x', gid, members.join(',')])),
    shadow: text(users.map(({ name }) => [name, '*', '', 0, 99999, 7, '', '', ''])),
    gshadow: text(groups.map(({ name, members = [] }) => [name, '*', '', members.join(',')])),
  }
}
