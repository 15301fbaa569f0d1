import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseIndex } from '../dist/format/index-text.js'
import { readApk } from '../dist/format/read-apk.js'
import { readIndex } from '../dist/format/read-index.js'
import type { SigningKey } from '../dist/format/signature.js'
import { checkSignature } from '../dist/format/signature.js'
import { indexPackage, writeIndex } from '../dist/format/write-index.js'
import { type MadePackage, madeKey, makeApk } from './made-package.js'
import { RealApk } from './real-apk.js'

const key = madeKey()
const keys = new Map([[key.name, key.publicKey]])

const hello: MadePackage = {
  info: {
    depends: ['base>=1', 'so:libc.musl-x86_64.so.1', '!old-hello'],
    provides: ['cmd:hello=1.2-r3', 'greeter'],
    providerPriority: 10,
    replaces: ['old-hello'],
    replacesPriority: 5,
    installIf: ['base=1-r0', 'docs'],
    triggers: ['/usr/share/hello', '/etc/*'],
    url: 'https://example.org/',
    origin: 'hello',
    maintainer: 'A. Person <a@example.org>',
    buildDate: 1_700_000_000,
    commit: 'abc',
  },
  files: {
    '/usr/bin/hello': '#!/bin/sh\necho hello\n',
    '/usr/bin/hallo': '=> /usr/bin/hello',
    '/usr/bin/hi': '-> hello',
    '/var/empty': '/',
    [`/usr/share/${'long-name-'.repeat(20)}/ümlaut`]: 'x',
  },
  modes: { '/usr/bin/hello': 0o755, '/usr/bin/hallo': 0o755, '/var/empty': 0o700 },
  xattrs: { '/usr/bin/hello': { 'user.note': Buffer.from('kept').toString('base64') } },
  scripts: { 'post-install': '#!/bin/sh\nexit 0\n', trigger: '#!/bin/sh\nexit 0\n' },
}

test('a package is read back as it was written', async () => {
  const bytes = await makeApk('hello', '1.2-r3', hello, key)
  assert.equal(bytes, await makeApk('hello', '1.2-r3', hello, key), 'the same content gives the same bytes')
  const apk = await readApk(bytes, 'hello')
  const { dataHash, size, ...info } = apk.info
  assert.is(size, 22)
  assert.match(dataHash!, /^[0-9a-f]{64}$/)
  assert.equal(info, {
    name: 'hello',
    version: '1.2-r3',
    arch: 'x86_64',
    description: 'hello made for a test',
    license: 'MIT',
    ...hello.info,
  })
  assert.equal(apk.scripts, hello.scripts)
  assert.is(checkSignature(apk.control, apk.signatures, keys, 'hello'), key.name)
})

test('an index is read back as it was written', async () => {
  const bytes = await makeApk('hello', '1.2-r3', hello, key)
  const index = await writeIndex([await indexPackage(bytes, 'hello')], key, { description: 'v1' })
  const { text, description } = await readIndex(index, keys, 'index')
  assert.is(description, 'v1')
  const [entry] = parseIndex(text, 'index')
  assert.is(entry?.checksum, (await readApk(bytes, 'hello')).checksum)
  assert.is(entry?.size, bytes.length)
  assert.is(entry?.depends, hello.info!.depends!.join(' '))
  assert.is(entry?.providerPriority, 10)
})

const judge = RealApk.find()
const real = (name: string, run: (apk: RealApk) => Promise<void>): void =>
  test(name, async () => {
    if (typeof judge === 'string') console.log(`skip ${name}: ${judge}`)
    else await run(judge)
  })

/** A repository in the judge's `/trial`, signed by a key that it trusts. */
const repository = async (apk: RealApk, folder: string, signer: SigningKey): Promise<string> => {
  mkdirSync(join(apk.path(folder), 'x86_64'), { recursive: true })
  writeFileSync(join(apk.root, 'etc/apk/keys', key.name), key.publicKey)
  const base = await makeApk(
    'base',
    '1-r0',
    { info: { provides: ['so:libc.musl-x86_64.so.1=1'] }, files: { '/etc/base': 'b' } },
    signer,
  )
  const files = { 'base-1-r0': base, 'hello-1.2-r3': await makeApk('hello', '1.2-r3', hello, signer) }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(apk.path(folder), `x86_64/${name}.apk`), bytes)
  const packages = await Promise.all(Object.entries(files).map(([name, bytes]) => indexPackage(bytes, name)))
  writeFileSync(join(apk.path(folder), 'x86_64/APKINDEX.tar.gz'), await writeIndex(packages, signer))
  return `/trial/${folder}`
}

for (const algorithm of ['RSA', 'RSA256'] as const)
  real(`the real apk verifies, indexes and installs what is signed with ${algorithm}`, async (apk) => {
    const url = await repository(apk, algorithm, { ...key, algorithm })
    const verified = apk.run(['verify', `${url}/x86_64/hello-1.2-r3.apk`, `${url}/x86_64/APKINDEX.tar.gz`])
    assert.is(verified.status, 0, verified.stdout + verified.stderr)

    const indexed = apk.run([
      'index',
      '-o',
      '/trial/own.tar.gz',
      `${url}/x86_64/hello-1.2-r3.apk`,
      `${url}/x86_64/base-1-r0.apk`,
    ])
    assert.is(indexed.status, 0, indexed.stderr)
    const text = apk.exec(['/bin/tar', '-xzOf', '/trial/own.tar.gz', 'APKINDEX'], apk.root).stdout
    const ours = await readIndex(readFileSync(join(apk.path(algorithm), 'x86_64/APKINDEX.tar.gz')), keys, 'ours')
    const sorted = (all: string): string[] =>
      all
        .split('\n\n')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .sort()
    assert.equal(sorted(ours.text), sorted(text))

    mkdirSync(join(apk.path('target'), 'etc/apk/keys'), { recursive: true })
    copyFileSync(join(apk.root, 'etc/apk/keys', key.name), join(apk.path('target'), 'etc/apk/keys', key.name))
    const added = apk.run(['add', '--root', '/trial/target', '--initdb', '--no-scripts', '-X', url, 'hello'])
    assert.is(added.status, 0, added.stdout + added.stderr)
    assert.is(readFileSync(join(apk.path('target'), 'usr/bin/hallo'), 'utf8'), hello.files!['/usr/bin/hello'])
    const audited = apk.run(['audit', '--root', '/trial/target', '--system', '--check-permissions'])
    assert.is(audited.stdout, '')
    apk.exec(['/bin/rm', '-r', '/trial/target'], apk.root)
  })

real('the real apk refuses what was changed after it was signed', async (apk) => {
  const bytes = await makeApk('base', '2-r0', { files: { '/etc/base': 'b' } }, key)
  const other = await makeApk('base', '2-r0', { files: { '/etc/base': 'c' } }, madeKey())
  writeFileSync(apk.path('other.apk'), other)
  writeFileSync(apk.path('own.apk'), bytes)
  assert.is(apk.run(['verify', '/trial/own.apk']).status, 0)
  assert.is.not(apk.run(['verify', '/trial/other.apk']).status, 0)
})

test.run()
