import { errorOf, survives } from '@zos/core/testing'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { manifestOnlyChecksum, packagesInBuild } from '../dist/platform-crates.js'

test('packages of the resolved graph only', () => {
  const metadata = {
    packages: [
      { id: 'path+file:///x#tool@0.1.0', name: 'tool', version: '0.1.0' },
      { id: 'registry+https://r#libc@0.2.183', name: 'libc', version: '0.2.183' },
      { id: 'registry+https://r#windows-sys@0.61.2', name: 'windows-sys', version: '0.61.2' },
    ],
    resolve: { nodes: [{ id: 'path+file:///x#tool@0.1.0' }, { id: 'registry+https://r#libc@0.2.183' }] },
  }
  assert.equal([...packagesInBuild(JSON.stringify(metadata))], ['tool-0.1.0', 'libc-0.2.183'])
})

test('anything else is refused', () => {
  for (const text of ['', '{}', 'null', '[]', '{"packages":[],"resolve":null}']) {
    assert.is(errorOf(() => packagesInBuild(text)).code, 'RUST_METADATA')
  }
  fc.assert(fc.property(fc.json(), (text) => void survives(() => packagesInBuild(text))))
})

test('the checksum of a crate without files', () => {
  assert.is(manifestOnlyChecksum('ab'), '{"files":{},"package":"ab"}')
  assert.is(manifestOnlyChecksum(null), '{"files":{},"package":null}')
})

test.run()
