import { type BlobReader, FileTree, sha256, type TreeRecord } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { neededPrograms, programProblems, scriptInterpreters } from '../dist/programs.js'
import type { Service } from '../dist/service.js'

const table: [string, string[]][] = [
  ['/usr/sbin/sshd -D', ['program /usr/sbin/sshd']],
  ['udevd --daemon', ['program udevd']],
  ['sh /etc/zinit/init/x.sh a', ['program sh', 'script /etc/zinit/init/x.sh']],
  ['/bin/busybox sh -e /x.sh', ['program /bin/busybox', 'script /x.sh']],
  ['/bin/busybox udhcpc -f', ['program /bin/busybox']],
  [`sh -c 'exec /usr/bin/x $Y'`, ['program sh', 'program /usr/bin/x']],
  [`sh -c '/usr/bin/x && true'`, ['program sh', 'program /usr/bin/x']],
  [`sh -ec 'cd / && x'`, ['program sh']],
  [`sh -c 'if true; then x; fi'`, ['program sh']],
  ['sh', ['program sh']],
  ['@builtin:sysvol', []],
]
for (const [exec, expected] of table) {
  test(`${exec} needs ${expected.join(', ') || 'nothing'}`, () => {
    assert.equal(
      neededPrograms(exec).map(({ as, word }) => `${as} ${word}`),
      expected,
    )
  })
}

test('the first line of a script names its interpreter', () => {
  const of = (text: string) => scriptInterpreters(Buffer.from(text))
  assert.equal(of('#!/bin/sh\necho'), ['/bin/sh'])
  assert.equal(of('#! /usr/bin/env  python3 -x\n'), ['/usr/bin/env', 'python3'])
  assert.equal(of('\x7fELF'), undefined)
})

const contents = new Map<string, Uint8Array>()
const blobs: BlobReader = {
  read: async ({ sha256 }) => contents.get(sha256)!,
  stream: async function* ({ sha256 }) {
    yield contents.get(sha256)!
  },
}
const owner = { uid: 0, gid: 0 }
const file = (path: string, text: string, mode = 0o755): TreeRecord => {
  const bytes = Buffer.from(text)
  contents.set(sha256(bytes), bytes)
  return { path, kind: 'file', mode, ...owner, blob: { sha256: sha256(bytes), size: bytes.length } }
}
const link = (path: string, target: string): TreeRecord => ({ path, kind: 'symlink', mode: 0o777, ...owner, target })

const tree = FileTree.from([
  link('/bin', 'usr/bin'),
  file('/usr/bin/busybox', '\x7fELF'),
  link('/usr/bin/sh', '/bin/busybox'),
  file('/usr/sbin/good', '#!/bin/sh\n'),
  file('/usr/sbin/plain', '#!/bin/sh\n', 0o644),
  file('/usr/sbin/needs-python', '#!/usr/bin/env python3\n'),
  link('/usr/sbin/nowhere', '/opt/gone'),
  file('/etc/zinit/init/a.sh', 'true\n', 0o644),
])
const said = async (exec: string, more: Partial<Service> = {}, within = tree) => {
  const service: Service = { kind: 'service', name: 'x', exec, ...more }
  const problems = await programProblems([service], within, blobs, 'toml')
  return problems.map(({ message }) => message.replace('of /etc/zinit/services/x.toml: ', ''))
}

test('programs are found through links, on the search path and behind a shell', async () => {
  for (const exec of ['/bin/busybox', 'good -x', '/bin/sh /etc/zinit/init/a.sh', `sh -c 'exec /usr/sbin/good'`]) {
    assert.equal(await said(exec), [], exec)
  }
  assert.equal(await said('good', { env: { PATH: '/usr/sbin' } }), [])
})

test('what is missing or cannot run is said with its path', async () => {
  assert.equal(await said('/usr/sbin/sshd -D'), ['exec /usr/sbin/sshd is not in the image'])
  assert.equal(await said('gone'), [
    'exec gone is in none of /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ])
  assert.equal(await said('good', { env: { PATH: '/bin' } }), ['exec good is in none of /bin'])
  assert.equal(await said('plain'), ['exec /usr/sbin/plain is not executable (mode 0644)'])
  assert.equal(await said('/usr/sbin/nowhere'), ['exec /usr/sbin/nowhere is a link to /opt/gone, which is missing'])
  assert.equal(await said('/usr/sbin'), ['exec /usr/sbin is a directory, expected a file'])
  assert.equal(await said('./good'), ['exec ./good is not an absolute path in normal form'])
  assert.equal(await said('sh /etc/zinit/init/b.sh'), ['exec /etc/zinit/init/b.sh is not in the image'])
  assert.match(
    (await said('needs-python'))[0]!,
    /^exec needs-python is a script, and \/usr\/bin\/env is not in the image/,
  )
  assert.equal(await said('good', { test: { exec: 'curl -f x' } }), [
    'test curl is in none of /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ])
})

test('zinit 0.3 needs a shell', async () => {
  const without = FileTree.from([file('/sbin/a', 'x')])
  assert.match((await said('/sbin/a', {}, without))[0]!, /starts every service by \/bin\/sh/)
})

test.run()
