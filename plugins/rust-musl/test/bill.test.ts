import { FileTree } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { programPackage, releasePackage } from '../dist/bill.js'
import { MemoryBlobs, tapContext, treeOf } from './contexts.js'

const blobs = new MemoryBlobs()
const checksum = 'a'.repeat(64)
const index = 'registry+https://github.com/rust-lang/crates.io-index'
const lock = `version = 4

[[package]]
name = "tool"
version = "1.2.3"

[[package]]
name = "log"
version = "0.4.0"
source = "${index}"
checksum = "${checksum}"

[[package]]
name = "windows"
version = "0.1.0"
source = "${index}"
checksum = "${checksum}"
`

const contextWith = async (vendor: Record<string, string>) =>
  tapContext({
    blobs,
    fetched: { 'tool/crates': { tree: await treeOf(blobs, vendor), blob: await blobs.put(lock) } },
    act: async () => ({ tree: FileTree.empty, stdout: '' }),
  })

test('a program with the crates that are built, and their licences', async () => {
  const ctx = await contextWith({
    'log-0.4.0/Cargo.toml': '[package]\nlicense = "MIT/Apache-2.0"\nrepository = "https://example.org/log"\n',
    'log-0.4.0/src/lib.rs': 'pub fn log() {}',
    'log-0.4.0/.cargo-checksum.json': '{}',
    'windows-0.1.0/Cargo.toml': '[package]\n',
    'windows-0.1.0/src/lib.rs': '',
    'windows-0.1.0/.cargo-checksum.json': '{}',
  })
  const sources = await treeOf(blobs, { 'cli/Cargo.toml': '[package]\nlicense = "Apache-2.0"\n' })
  const component = { from: 'git', url: 'https://me:token@example.org/tool', ref: 'main', folder: 'cli' } as const
  assert.equal(await programPackage(ctx, 'tool', component, sources, { version: '1.2.3', commit: 'c0ffee' }), {
    name: 'tool',
    version: '1.2.3',
    purl: 'pkg:generic/tool@1.2.3?vcs_url=git%2Bhttps%3A%2F%2Fexample.org%2Ftool%40c0ffee',
    license: 'Apache-2.0',
    madeFrom: [
      {
        name: 'log',
        version: '0.4.0',
        purl: 'pkg:cargo/log@0.4.0',
        sha256: checksum,
        supplier: 'crates.io',
        license: 'MIT OR Apache-2.0',
        homepage: 'https://example.org/log',
      },
    ],
  })
})

test('a manifest that nobody can read says nothing', async () => {
  const ctx = await contextWith({ 'log-0.4.0/Cargo.toml': '[[[', 'log-0.4.0/src/lib.rs': 'x' })
  const component = { from: 'crate', crate: 'tool', version: '1.2.3', folder: '' } as const
  const { purl, license, madeFrom } = await programPackage(ctx, 'tool', component, FileTree.empty, {})
  assert.equal(
    [purl, license, madeFrom?.map(({ name }) => name)],
    ['pkg:cargo/tool@1.2.3', undefined, ['log', 'windows']],
  )
})

test('a release has the version that its address names, and no credentials', () => {
  const { version, download, purl } = releasePackage(
    'corex',
    'https://u:p@example.org/v2/corex-2.1.4-linux?token=1',
    checksum,
  )
  assert.equal([version, download], ['2.1.4', 'https://example.org/v2/corex-2.1.4-linux'])
  assert.not.match(purl, /token|u%3Ap/)
})

test.run()
