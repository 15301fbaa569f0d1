import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { errorOf, survives } from '@zos/core/testing'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type CargoLock, type CargoPackage, cratesIo, packageFolder, parseCargoLock } from '../dist/cargo-lock.js'

const sum = 'ab'.repeat(32)
const commit = '0123456789abcdef0123456789abcdef01234567'

const lock = (packages: string, version = 4): string => `# made by cargo\nversion = ${version}\n\n${packages}`
const one = (fields: string): string => `[[package]]\nname = "a"\nversion = "1.0.0"\n${fields}\n`

test('packages of the workspace, of a registry, of git', () => {
  const text = lock(`
[[package]]
name = "own"
version = "0.1.0"
dependencies = [
 "adler2",
 "reth-ipc 1.0.0 (git+https://example.org/reth?tag=v1.0.0)",
]

[[package]]
name = "adler2"
version = "2.0.1"
source = "registry+${cratesIo}"
checksum = "${sum}"

[[package]]
name = "reth-ipc"
version = "1.0.0"
source = "git+https://example.org/reth?tag=v1.0.0#${commit}"
`)
  const { version, packages } = parseCargoLock(text, 'Cargo.lock')
  assert.is(version, 4)
  assert.equal(packages, [
    { name: 'own', version: '0.1.0' },
    { name: 'adler2', version: '2.0.1', source: { kind: 'registry', url: cratesIo, checksum: sum } },
    {
      name: 'reth-ipc',
      version: '1.0.0',
      source: { kind: 'git', url: 'https://example.org/reth', reference: { kind: 'tag', name: 'v1.0.0' }, commit },
    },
  ])
  assert.equal(packages.map(packageFolder), ['own-0.1.0', 'adler2-2.0.1', 'reth-ipc-1.0.0'])
})

const gitOf = (source: string, version = 4) => {
  const [found] = parseCargoLock(lock(one(`source = "${source}"`), version), 'Cargo.lock').packages
  return found?.source
}

test('version 4 writes names of git references percent-encoded, version 3 does not', () => {
  const source = `git+https://example.org/x?branch=feat%2Fa%23b#${commit}`
  assert.equal(gitOf(source), {
    kind: 'git',
    url: 'https://example.org/x',
    reference: { kind: 'branch', name: 'feat/a#b' },
    commit,
  })
  assert.equal(gitOf(`git+https://example.org/x?branch=feat/a%2F#${commit}`, 3), {
    kind: 'git',
    url: 'https://example.org/x',
    reference: { kind: 'branch', name: 'feat/a%2F' },
    commit,
  })
  assert.equal(gitOf(`git+ssh://git@example.org/x#${commit}`), {
    kind: 'git',
    url: 'ssh://git@example.org/x',
    reference: { kind: 'head' },
    commit,
  })
})

test('sparse registries keep their prefix: cargo names them so', () => {
  const text = lock(one(`source = "sparse+https://index.example.org/"\nchecksum = "${sum}"`))
  const [found] = parseCargoLock(text, 'Cargo.lock').packages
  assert.equal(found?.source, { kind: 'registry', url: 'sparse+https://index.example.org/', checksum: sum })
})

const wrong: readonly (readonly [string, string])[] = [
  ['version =', 'no TOML'],
  ['[[package]]\nname = "a"\nversion = "1.0.0"\n', 'before Rust 1.53'],
  [lock(one(''), 5), 'version 5; expected 3 or 4'],
  [lock(one(`source = "registry+${cratesIo}"`)), 'the checksum of a 1.0.0 is missing'],
  [lock(one(`source = "registry+${cratesIo}"\nchecksum = "xyz"`)), 'the checksum of a 1.0.0 is "xyz"'],
  [lock(one(`checksum = "${sum}"`)), 'a checksum and no source'],
  [lock(one('source = "path+file:///x"')), 'the source of a 1.0.0'],
  [lock(one('source = "git+https://example.org/x"')), 'the commit of a 1.0.0 is missing'],
  [lock(one('source = "git+https://example.org/x#abc"')), 'the commit of a 1.0.0 is "abc"'],
  [lock(one(`source = "git+https://example.org/x?a=b#${commit}"`)), 'the source of a 1.0.0'],
  [lock(one(`source = "git+https://example.org/x?branch=%zz#${commit}"`)), 'a 1.0.0'],
  [lock(one('extra = 1')), 'a field "extra"'],
  [lock(one('dependencies = "b"')), 'the dependencies of a 1.0.0'],
  [lock('[[package]]\nname = "../a"\nversion = "1.0.0"\n'), 'the name of package 1 is "../a"'],
  [lock('[[package]]\nname = "a"\nversion = "1/../2"\n'), 'the version of a is "1/../2"'],
  [lock(one('') + one('')), 'a 1.0.0 is in it twice'],
  ['version = 4\npackage = 3\n', 'the packages are no list'],
  ['version = 4\nother = 3\n', 'a field "other"'],
]

test('what cargo does not write is refused by name', () => {
  for (const [text, message] of wrong) {
    const error = errorOf(() => parseCargoLock(text, 'sub/Cargo.lock'))
    assert.is(error.code, 'CARGO_LOCK')
    assert.ok(error.message.startsWith('sub/Cargo.lock: '), error.message)
    assert.ok(error.message.includes(message), `${error.message}\n  has no: ${message}`)
  }
})

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/)
const digits = fc.stringMatching(/^[0-9a-f]{64}$/)
const registry = fc.record({
  kind: fc.constant('registry' as const),
  url: fc.constantFrom(cratesIo, 'sparse+https://index.example.org/', 'https://git.example.org/index'),
  checksum: digits,
})
const reference = fc.oneof(
  fc.constant({ kind: 'head' as const }),
  fc.record({
    kind: fc.constantFrom('branch' as const, 'tag' as const, 'rev' as const),
    name: fc.stringMatching(/^[a-z][a-z0-9/.-]{0,20}$/),
  }),
)
const repository = fc.record({
  kind: fc.constant('git' as const),
  url: word.map((name) => `https://example.org/${name}`),
  reference,
  commit: fc.stringMatching(/^[0-9a-f]{40}$/),
})
const packages = fc.uniqueArray(
  fc.record({
    name: word,
    version: fc.constantFrom('0.1.0', '1.0.0-rc.1', '0.14.4+wasi-0.2.4'),
    source: fc.option(fc.oneof(registry, repository)),
  }),
  { selector: ({ name }) => name },
)

const written = ({ name, version, source }: CargoPackage): string => {
  const lines = ['[[package]]', `name = "${name}"`, `version = "${version}"`]
  if (source?.kind === 'registry') {
    lines.push(
      `source = "${source.url.startsWith('sparse+') ? '' : 'registry+'}${source.url}"`,
      `checksum = "${source.checksum}"`,
    )
  } else if (source) {
    const query =
      source.reference.kind === 'head' ? '' : `?${source.reference.kind}=${encodeURIComponent(source.reference.name)}`
    lines.push(`source = "git+${source.url}${query}#${source.commit}"`)
  }
  return `${lines.join('\n')}\n`
}

test('what is written is read', () => {
  fc.assert(
    fc.property(packages, (all) => {
      const plain = JSON.parse(JSON.stringify(all)) as typeof all
      const wanted: CargoPackage[] = plain.map(({ source, ...rest }) => (source ? { ...rest, source } : rest))
      const read: CargoLock = parseCargoLock(lock(wanted.map(written).join('\n')), 'Cargo.lock')
      assert.equal(read, { version: 4, packages: wanted })
    }),
  )
})

test('anything else gives a ZosError, never another failure', () => {
  const base = lock(wrong.map(([text]) => text).join('\n'))
  const good = lock(one(`source = "git+https://example.org/x?branch=a#${commit}"`))
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void survives(() => parseCargoLock(text, 'x'))))
  fc.assert(
    fc.property(
      fc.constantFrom(base, good),
      fc.nat(),
      fc.nat(30),
      fc.string({ maxLength: 5 }),
      (text, at, length, put) => {
        const start = at % text.length
        survives(() => parseCargoLock(text.slice(0, start) + put + text.slice(start + length), 'x'))
      },
    ),
    { numRuns: 1000 },
  )
})

/** Lock files of the compiler's sources, and of the crates that cargo has unpacked for this user. */
const realLocks = (): string[] => {
  const home = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry', 'src')
  const list = (folder: string): string[] => {
    try {
      return readdirSync(folder).map((name) => join(folder, name))
    } catch {
      return []
    }
  }
  const candidates = ['/usr/lib/rustlib/src/rust/library', ...list(home).flatMap(list)]
  return candidates.map((folder) => join(folder, 'Cargo.lock'))
}

test('real lock files', () => {
  let read = 0
  for (const file of realLocks()) {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      continue
    }
    if (!/^version = [34]$/m.test(text)) continue
    const { packages } = parseCargoLock(text, file)
    assert.is(packages.length, text.match(/^\[\[package\]\]$/gm)?.length, file)
    const sums = packages.flatMap(({ source }) => (source?.kind === 'registry' ? [source.checksum] : []))
    assert.equal(
      sums,
      [...text.matchAll(/^checksum = "(.+)"$/gm)].map((match) => match[1]),
      file,
    )
    read += 1
  }
  if (read === 0) console.log('skip real lock files: neither rust-src nor crates of a registry are on this machine')
})

test.run()
