import { parse } from 'smol-toml'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { targetFlags, vendoredSources } from '../dist/cargo-config.js'
import { type CargoLock, cratesIo } from '../dist/cargo-lock.js'

const commit = '0'.repeat(40)
const checksum = '0'.repeat(64)

test('every source is replaced once, also the registry that nothing names', () => {
  const url = 'https://example.org/x'
  const lock: CargoLock = {
    version: 4,
    packages: [
      { name: 'own', version: '0.1.0' },
      { name: 'a', version: '1.0.0', source: { kind: 'git', url, reference: { kind: 'tag', name: 'v"1' }, commit } },
      { name: 'b', version: '1.0.0', source: { kind: 'git', url, reference: { kind: 'tag', name: 'v"1' }, commit } },
      { name: 'c', version: '1.0.0', source: { kind: 'git', url, reference: { kind: 'head' }, commit } },
      { name: 'd', version: '1.0.0', source: { kind: 'registry', url: 'sparse+https://r.example.org/', checksum } },
      { name: 'e', version: '1.0.0', source: { kind: 'registry', url: cratesIo, checksum } },
    ],
  }
  assert.equal(JSON.parse(JSON.stringify(parse(vendoredSources(lock, '/build/vendor')))), {
    source: {
      'crates-io': { 'replace-with': 'vendored' },
      'git+https://example.org/x?': { git: url, 'replace-with': 'vendored' },
      'git+https://example.org/x?tag=v"1': { git: url, tag: 'v"1', 'replace-with': 'vendored' },
      'sparse+https://r.example.org/': { registry: 'sparse+https://r.example.org/', 'replace-with': 'vendored' },
      vendored: { directory: '/build/vendor' },
    },
  })
  const none = parse(vendoredSources({ version: 3, packages: [] }, '/v')) as { source: object }
  assert.equal(Object.keys(none.source), ['crates-io', 'vendored'])
})

test('flags of a target', () => {
  const flags = ['-Ca=b', '--remap-path-prefix=/build/=']
  const table = parse(targetFlags('x86_64-unknown-linux-musl', flags)) as {
    target: Record<string, { rustflags: string[] }>
  }
  assert.equal([...table.target['x86_64-unknown-linux-musl']!.rustflags], flags)
})

test.run()
