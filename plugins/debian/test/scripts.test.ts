import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { accountFiles, joinAccounts, minimalAccounts, parseAccounts } from '../dist/package/accounts.js'
import { alternativesIn } from '../dist/package/alternatives.js'
import { busyboxApplets } from '../dist/package/applets.js'
import { rules } from '../dist/package/rules.js'
import { mayMatter } from '../dist/package/scripts.js'

const section = (tool: string, body: string) =>
  `# Automatically added by ${tool}\n${body}\n# End automatically added section\n`

test('scripts that do nothing for an image', () => {
  const cases = [
    '',
    '#!/bin/sh\nset -e\nexit 0\n',
    `#!/bin/sh\nset -e\n${section('dh_installsystemd/13.11', 'deb-systemd-helper enable x')}\nexit 0\n`,
    '#!/bin/sh\nset -e\ncase "$1" in\n  configure)\n  ;;\n  abort-upgrade|abort-remove)\n  ;;\n  *)\n    echo "postinst called with unknown argument \\`$1\'" >&2\n    exit 1\n  ;;\nesac\n',
    '#!/bin/sh\nset -e\nif [ "$1" = "configure" ]; then\n  update-alternatives --install /usr/bin/x x /usr/bin/y 5 \\\n    --slave /a/b b /c/d || true\nfi\n',
    '#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_stop\n',
    '#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x 1:2\\~ -- "$@"\n',
  ]
  for (const script of cases) assert.not(mayMatter(script), script)
})

test('scripts that may matter', () => {
  const cases = [
    '#!/bin/sh\nadduser x\n',
    '#!/bin/sh\nset -e; adduser x\n',
    'exit 0; adduser x\n',
    'if [ "$1" = configure ] && adduser x; then\nfi\n',
    'echo x > /etc/y\n',
    'echo "$(adduser x)"\n',
    'configure) adduser x ;;\n',
    section('dh_unheard-of', 'adduser x'),
    'update-alternatives --install "/usr/bin/$1" x /usr/bin/y 5\n',
    'update-alternatives --install /usr/bin/x x /usr/bin/y 5 && adduser x\n',
    '#!/usr/bin/perl\nsystem("adduser x");\n',
  ]
  for (const script of cases) assert.ok(mayMatter(script), script)
})

test('alternatives are read out of scripts, without variables', () => {
  const script = `update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/mawk 5 \\
            --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\
            --slave /usr/bin/nawk nawk /usr/bin/mawk
    update-alternatives --install /bin/mt mt /bin/mt-gnu 10
    update-alternatives --install "/usr/bin/$i" "$i" /usr/bin/vim 30
    update-alternatives --remove pager /bin/less`
  assert.equal(alternativesIn(script), [
    { link: '/usr/bin/awk', target: '/usr/bin/mawk', priority: 5 },
    { link: '/usr/share/man/man1/awk.1.gz', target: '/usr/share/man/man1/mawk.1.gz', priority: 5 },
    { link: '/usr/bin/nawk', target: '/usr/bin/mawk', priority: 5 },
    { link: '/bin/mt', target: '/bin/mt-gnu', priority: 10 },
  ])
})

test('property: reading any script ends soon', () => {
  const words = fc.array(
    fc.constantFrom(
      'update-alternatives',
      ' --install',
      ' /a',
      ' b',
      ' 5',
      ' --slave',
      '\\\n',
      '\n',
      ' ',
      '||',
      ' true',
      '"$1"',
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(words, (parts) => void [mayMatter(parts.join('')), alternativesIn(parts.join(''))]),
    { numRuns: 2000 },
  )
  const started = performance.now()
  const long = `update-alternatives --install /a b /c 5${' --slave /a b /c'.repeat(20_000)} x`
  mayMatter(long)
  alternativesIn(`update-alternatives${' --quiet'.repeat(50_000)}`)
  mayMatter(`echo ${'a '.repeat(100_000)}$(`)
  assert.ok(performance.now() - started < 3000)
})

test('the applets of a busybox', () => {
  const binary = Buffer.from('ELF...\0[\0[[\0ash\0sh\0xzcat\0\0more\0')
  assert.equal(busyboxApplets(binary, 'b'), ['[', '[[', 'ash', 'sh', 'xzcat'])
  for (const other of ['', 'ELF', '\0[\0[[\0sh', '\0[\0[[\0a b\0sh\0\0', '\0[\0[[\0ash\0\0'])
    assert.is(errorOf(() => busyboxApplets(Buffer.from(other), 'b')).code, 'DEBIAN_BUSYBOX')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void survives(() => busyboxApplets(bytes, 'b'))))
})

test('accounts: four files that agree', () => {
  const base = parseAccounts(
    'root:*:0:0:root:/root:/bin/bash\nbin:*:2:2:bin:/bin:/usr/sbin/nologin\n',
    'root:*:0:\nadm:*:4:root,bin\n',
  )
  const accounts = joinAccounts(base, {
    users: [{ name: 'sshd', uid: 101, gid: 65534, home: '/run/sshd' }],
    groups: [{ name: '_ssh', gid: 102 }],
  })
  const files = accountFiles(accounts, () => '/bin/sh')
  assert.is(
    files.passwd,
    'root:x:0:0:root:/root:/bin/sh\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n',
  )
  assert.is(files.group, 'root:x:0:\nadm:x:4:root,bin\n_ssh:x:102:\n')
  assert.is(files.shadow.split('\n')[2], 'sshd:*::0:99999:7:::')
  assert.is(files.gshadow, 'root:*::\nadm:*::root,bin\n_ssh:*::\n')
  assert.match(errorOf(() => parseAccounts('root:*:x:0::/:/bin/sh\n', '')).message, /'x' is no user or group id/)
  const clash = { users: [{ name: 'a', uid: 0, gid: 0, home: '/' }], groups: [] }
  assert.match(errorOf(() => joinAccounts(base, clash)).message, /root \(0\) and a \(0\) want one name or id/)
})

test('all rules together: ids are given once, and every rule does something or says why not', () => {
  const all = Object.values(rules).map(({ users = [], groups = [] }) => ({ users, groups }))
  assert.ok(joinAccounts(minimalAccounts, ...all).users.length > 3)
  for (const [name, rule] of Object.entries(rules)) assert.ok(Object.keys(rule).length > 0, name)
})

test.run()
