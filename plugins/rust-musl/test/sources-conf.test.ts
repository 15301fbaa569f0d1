import { isZosError } from '@zos/core'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseSourcesConf, renderSources } from '../dist/sources-conf.js'

const classic = `
# components
git:zinit:https://github.com/threefoldtech/zinit:master:build_zinit
git:mycelium:https://github.com/threefoldtech/mycelium:0.6.1:build_mycelium  # a tag
git:tool:https://git.example.com:8443/x/tool.git:main:build_tool:features=a+b,odd=1
release:corex:https://github.com/threefoldtech/corex/releases/download/2.1.4/corex-2.1.4-amd64-linux-static:2.1.4:install_corex:rename=corex
`

test('lines of the classic list, colons of addresses and all', () => {
  const sources = parseSourcesConf(classic, 'sources.conf')
  assert.equal(
    sources.map(({ type, name, version, build }) => [type, name, version, build]),
    [
      ['git', 'zinit', 'master', 'build_zinit'],
      ['git', 'mycelium', '0.6.1', 'build_mycelium'],
      ['git', 'tool', 'main', 'build_tool'],
      ['release', 'corex', '2.1.4', 'install_corex'],
    ],
  )
  assert.is(sources[2]!.url, 'https://git.example.com:8443/x/tool.git')
  const { code, notes } = renderSources(sources)
  assert.is(
    code,
    `rustMusl({
  zinit: git('https://github.com/threefoldtech/zinit', { ref: 'master', install: { zinit: '/sbin/zinit' } }),
  mycelium: git('https://github.com/threefoldtech/mycelium', { ref: '0.6.1', subdir: 'myceliumd', tools: ['perl', 'make'] }),
  tool: git('https://git.example.com:8443/x/tool.git', { ref: 'main', features: ['a', 'b'] }),
  corex: release('https://github.com/threefoldtech/corex/releases/download/2.1.4/corex-2.1.4-amd64-linux-static', { rename: 'corex' }),
})
`,
  )
  assert.is(notes.length, 2)
  assert.match(notes.join('\n'), /tool: odd=1 has no equivalent/)
})

test('what is no line of it names file and line', () => {
  const wrong = [
    'svn:x:https://x/y:1:build',
    'git:x:https://x/y:1',
    'git:x',
    'git:a:https://x/y:1:b\ngit:a:https://x/z:1:b',
  ]
  for (const text of wrong) {
    try {
      parseSourcesConf(text, 's.conf')
      assert.unreachable(text)
    } catch (error) {
      assert.ok(
        isZosError(error) && error.code === 'RUST_SOURCES_CONF' && /^s\.conf:\d/.test(error.message),
        String(error),
      )
    }
  }
})

test('whatever comes in, a list or a ZosError comes out', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('git', 'release', ':', '//', 'https', 'x', '\n', '#', ' ', '=', ',') }),
      (text) => {
        try {
          renderSources(parseSourcesConf(text, 'f'))
        } catch (error) {
          assert.ok(isZosError(error))
        }
      },
    ),
  )
})

test.run()
