import { errorOf } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dependencyText } from '../dist/format/dependency.js'
import { type IndexEntry, parseIndex } from '../dist/format/index-text.js'
import { encodeIndex, IndexTable } from '../dist/solve/index-table.js'
import { Universe } from '../dist/solve/universe.js'

const lines = (text: string): IndexEntry[] => parseIndex(`C:Q1${'A'.repeat(27)}=\n${text}\n\n`, 'test')

const name = fc.stringMatching(/^[a-z][a-z0-9._+-]{0,8}$/)
const version = fc.stringMatching(/^[0-9]{1,3}(\.[0-9]{1,3}){0,2}-r[0-9]$/)
const need = fc
  .tuple(fc.constantFrom('', '!'), name, fc.constantFrom('', '=', '>=', '<', '~'), version)
  .map(([bang, text, sign, wanted]) => `${bang}${text}${sign && `${sign}${wanted}`}`)
const provide = fc.tuple(name, version, fc.boolean()).map(([text, own, has]) => (has ? `${text}=${own}` : text))
const list = (word: fc.Arbitrary<string>) => fc.array(word, { maxLength: 4 }).map((words) => words.join(' '))
const entry: fc.Arbitrary<IndexEntry> = fc.record(
  {
    ...{ name, version, arch: fc.constant('x86_64'), origin: name },
    checksum: fc.stringMatching(/^Q1[A-Za-z0-9+/]{27}=$/),
    ...{ size: fc.nat(), installedSize: fc.nat(2), buildDate: fc.nat(), providerPriority: fc.nat(9) },
    ...{ description: fc.constantFrom('', 'ä text — of several words'), url: fc.constant('https://example.org') },
    ...{ license: fc.constant('MIT'), maintainer: fc.constant('Łukasz <l@example.org>'), commit: fc.constant('') },
    ...{ depends: list(need), provides: list(provide), installIf: list(need) },
  },
  { noNullPrototype: true },
)

test('a table gives back what the index says, entry by entry', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
      // At an odd address too: a store gives no promise of where its bytes lie.
      const bytes = encodeIndex(entries)
      const moved = new Uint8Array(bytes.length + 1)
      moved.set(bytes, 1)
      const table = new IndexTable(moved.subarray(1))
      assert.is(table.count, entries.length)
      const { candidates } = new Universe([
        { label: 'main', table: IndexTable.of(entries.map((one, at) => ({ ...one, checksum: `${at}` }))) },
      ])
      for (const [at, one] of entries.entries()) {
        assert.equal(table.entry(at), one)
        assert.equal(
          [table.names[table.name(at)], table.version(at), table.checksum(at), table.hasFiles(at)],
          [one.name, one.version, one.checksum, one.installedSize > 0],
        )
        const candidate = candidates[at]!
        const words = (text: string) => text.split(' ').filter((word) => word !== '')
        assert.equal(candidate.depends.map(dependencyText), words(one.depends))
        assert.equal(candidate.installIf.map(dependencyText), words(one.installIf))
        assert.equal(
          candidate.provides.map(({ target, version }) => target.text + (version === undefined ? '' : `=${version}`)),
          words(one.provides),
        )
      }
    }),
  )
})

test('a word that is no dependency is an error of the package that is asked for it, and of no other', () => {
  const table = IndexTable.of([...lines('P:a\nV:1-r0\nD:b=x=y'), ...lines('P:b\nV:1-r0')])
  const { candidates } = new Universe([{ label: 'main', table }])
  const { code, message } = errorOf(() => candidates[0]!.depends)
  assert.is(code, 'APK_DEPENDENCY')
  assert.match(message, "a-1-r0, in the index: 'b=x=y' is no dependency")
})

test('an index without packages', () => {
  assert.is(IndexTable.of([]).count, 0)
  assert.equal(new Universe([{ label: 'main', table: IndexTable.of([]) }]).candidates, [])
})

test.run()
