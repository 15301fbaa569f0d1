import { ref } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { crate, git, path, type RustComponent, release, rustMusl } from '../dist/index.js'
import { rustMuslOptions } from '../dist/options.js'

const issues = (one: unknown) => v.safeParse(rustMuslOptions, { one }).issues?.map(({ message }) => message) ?? []

test('one component of each kind', () => {
  const good: RustComponent[] = [
    crate('zinit', '0.3.9', { features: ['client'], defaultFeatures: false, patches: ['config/zinit.patch'] }),
    crate('ripgrep', '14.1.0-rc.1+build.2', { install: { rg: '/usr/bin/rg' } }),
    git('https://example.org/zinit', {
      ref: 'master',
      subdir: 'crates/zinit',
      package: 'zinit',
      profile: 'release-lto',
    }),
    git('git@example.org:org/zinit.git', { ref: 'refs/tags/v1.0.0' }),
    path('crates/storage', { features: ['a', 'log/std'], env: { UI_URL: 'file:///build/files/ui.zip' } }),
    path('tools', {
      files: { 'ui.zip': { url: 'https://example.org/ui.zip', sha256: 'ab'.repeat(32) } },
      tools: ['perl'],
    }),
    release('https://example.org/corex-2.1.4', { rename: 'corex' }),
  ]
  for (const one of good) assert.equal(issues(one), [], JSON.stringify(one))
})

test('what is wrong is refused', () => {
  const bad: readonly (readonly [unknown, string])[] = [
    [crate('zinit', '^0.3'), 'an exact version'],
    [crate('../zinit', '0.3.9'), 'the name of a crate'],
    [git('--upload-pack=x', { ref: 'main' }), 'the address of a git repository'],
    [git('https://example.org/x', { ref: '-x' }), 'a branch'],
    [git('https://example.org/x', { ref: 'main', subdir: '../y' }), 'without ..'],
    [path('.'), 'a folder below the project'],
    [path('/etc'), 'a path below the project'],
    [path('a', { install: { a: 'usr/bin/a' } }), 'an absolute path'],
    [path('a', { install: { a: '/usr/../a' } }), 'normal form'],
    [path('a', { install: {} }), 'at least one program'],
    [path('a', { env: { RUSTFLAGS: '-g' } }), '.cargo/config.toml'],
    [path('a', { env: { 'A-B': '' } }), 'environment variable'],
    [path('a', { files: { '../x': { url: 'https://example.org/x' } } }), 'a file name'],
    [release('file:///etc/passwd'), 'an http(s) address'],
    [release('https://example.org/x', { sha256: 'AB' }), '64 hex digits'],
  ]
  for (const [one, message] of bad) {
    assert.ok(
      issues(one).some((issue) => issue.includes(message)),
      `${JSON.stringify(one)}: ${issues(one).join(', ')}`,
    )
  }
  assert.is(issues({ from: 'crate', crate: 'a', version: '1.0.0', feature: [] }).length, 1)
  assert.is(issues({ from: 'somewhere' }).length, 1)
})

test('the descriptor offers its components', () => {
  const tools = rustMusl.as('tools', { zinit: crate('zinit', '0.3.9') })
  assert.equal(tools.component('zinit'), ref('tools', 'zinit'))
})

test.run()
