import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDependency } from '../dist/format/dependency.js'
import type { IndexEntry } from '../dist/format/index-text.js'
import { IndexTable } from '../dist/solve/index-table.js'
import { packagesOfSameOrigin } from '../dist/solve/same-origin.js'
import { solve } from '../dist/solve/solution.js'
import { type RepositoryIndex, Universe } from '../dist/solve/universe.js'
import { mergeWorld, parsePackagesList, worldEntry } from '../dist/world.js'

let made = 0
/** `name version, D: depends, p: provides, i: install_if, k: priority, o: origin` */
const entry = (text: string): IndexEntry => {
  const [head = '', ...fields] = text.split(', ')
  const [name = '', version = '1-r0'] = head.split(' ')
  const field = (letter: string) => fields.find((one) => one.startsWith(`${letter}: `))?.slice(3) ?? ''
  const checksum = `Q1${String(made++).padStart(27, 'A')}=`
  const plain = {
    arch: 'x86_64',
    size: 1,
    installedSize: 1,
    description: '',
    url: '',
    license: '',
    maintainer: '',
    commit: '',
    buildDate: 0,
  }
  return {
    ...plain,
    name,
    version,
    checksum,
    origin: field('o') || name,
    providerPriority: Number(field('k') || 0),
    depends: field('D'),
    provides: field('p'),
    installIf: field('i'),
  }
}

const main = (lines: string, tag?: string): RepositoryIndex => ({
  label: tag ?? 'main',
  ...(tag !== undefined && { tag }),
  table: IndexTable.of(
    lines
      .trim()
      .split('\n')
      .map((line) => entry(line.trim())),
  ),
})
const world = (...texts: string[]) => mergeWorld(texts.map((text) => worldEntry(text, 'test')))
const solved = (repositories: RepositoryIndex[], ...texts: string[]): string =>
  solve(new Universe(repositories), world(...texts))
    .map(({ candidate }) => candidate.text)
    .join(' ')
const problem = (repositories: RepositoryIndex[], ...texts: string[]): string => {
  const { code, message } = errorOf(() => solved(repositories, ...texts))
  assert.is(code, 'ALPINE_UNSOLVABLE')
  return message
}

test('what a package needs comes before it, the newest version that fits', () => {
  const all = [
    main(`
    a, D: b>=1 c
    b 1-r0
    b 2-r0
    c, D: b<2`),
  ]
  assert.is(solved(all, 'a'), 'b-1-r0 c-1-r0 a-1-r0')
  assert.is(solved(all, 'b'), 'b-2-r0')
  assert.is(solved(all, 'b=1-r0'), 'b-1-r0')
})

test('virtual packages: by priority, by another requirement, and never unasked', () => {
  const priority = [main('a, D: sh\nash, p: sh, k: 10\nbash, p: sh, k: 5')]
  assert.is(solved(priority, 'a'), 'ash-1-r0 a-1-r0')
  assert.is(solved(priority, 'a', 'bash'), 'bash-1-r0 a-1-r0')
  const none = [main('a, D: sh\nash, p: sh\nbash, p: sh')]
  assert.is(solved(none, 'a', 'bash'), 'bash-1-r0 a-1-r0')
  assert.match(problem(none, 'a'), /^a-1-r0 needs sh; several packages provide it: ash, bash; name one of them$/)
  const single = [main('a, D: sh\nash, p: sh')]
  assert.match(
    problem(single, 'a'),
    /only ash provides it, and what is provided without a version is not chosen unasked/,
  )
  assert.match(problem([main('a, D: sh=1\nash, p: sh')], 'a'), /a-1-r0 needs sh=1; offered ash-1-r0 \(sh, no version\)/)
})

test('install_if: once all its terms are there, and what it needs with it', () => {
  const all = [main('a\ndocs\na-doc, i: docs a, D: more\nmore')]
  assert.is(solved(all, 'a'), 'a-1-r0')
  assert.is(solved(all, 'a', 'docs'), 'a-1-r0 docs-1-r0 more-1-r0 a-doc-1-r0')
  assert.is(solved(all, 'a', 'docs', '!a-doc'), 'a-1-r0 docs-1-r0')
})

test('conflicts and negative entries of the world', () => {
  const all = [main('a, D: x\nx, p: y=1\nz, D: !x\nw, p: y=2')]
  assert.match(problem(all, 'a', 'z'), /z-1-r0 excludes x, but x-1-r0 is wanted/)
  assert.match(problem(all, 'a', '!x'), /test excludes x, but x-1-r0 is wanted/)
  assert.match(problem(all, 'x', 'w'), /y/)
  assert.is(solved(all, 'z', 'w'), 'w-1-r0 z-1-r0')
})

test('a tagged repository gives only to those who name the tag, and what they need', () => {
  const all = [main('a 1-r0, D: b\nb 1-r0'), main('a 2-r0, D: b>=2\nb 2-r0', 'edge')]
  assert.is(solved(all, 'a'), 'b-1-r0 a-1-r0')
  assert.is(solved(all, 'a@edge'), 'b-2-r0 a-2-r0')
  assert.match(problem(all, 'a@testing'), /no repository has the tag @testing/)
  assert.match(problem(all, 'b>=2'), /only the tagged repository @edge has it/)
})

test('of equal versions the first repository wins', () => {
  const second = { ...main('a 1-r0'), label: 'second' }
  const universe = new Universe([main('a 1-r0'), second])
  assert.is(solve(universe, world('a'))[0]!.candidate.repository, 0)
})

test('the error says the chain, and which names come near', () => {
  const all = [main('openssh, D: lib\nlib, D: so:libcrypto.so.3')]
  assert.is(problem(all, 'openssh'), 'openssh-1-r0 → lib-1-r0 needs so:libcrypto.so.3; nothing in main provides it')
  assert.match(problem(all, 'opensh'), /test asks for opensh; nothing in main provides it \(near: openssh\)/)
  assert.match(problem(all, 'lib>2'), /test asks for lib>2; offered lib-1-r0/)
})

test('why a package is there', () => {
  const universe = new Universe([main('a, D: b\nb\nc, D: b\ndocs\na-doc, i: docs a')])
  const by = Object.fromEntries(
    solve(universe, world('a', 'c', 'docs')).map(({ candidate, by }) => [candidate.entry.name, by]),
  )
  assert.equal(by, { a: ['world'], b: ['a', 'c'], c: ['world'], docs: ['world'], 'a-doc': ['a', 'docs'] })
})

test('a circle of dependencies ends', () => {
  assert.is(solved([main('a, D: b\nb, D: a')], 'a'), 'b-1-r0 a-1-r0')
})

test('packages of a tree: of the same origin, newest first, and no further', () => {
  const universe = new Universe([
    main(
      'linux-lts 6-r0, D: mkinitfs linux-lts-extra, o: linux-lts\nlinux-lts-extra 6-r0, o: linux-lts\nmkinitfs\nlinux-lts 5-r0, o: linux-lts',
    ),
  ])
  const names = (...texts: string[]) =>
    packagesOfSameOrigin(
      universe,
      texts.map((text) => worldEntry(text, 'tree')),
    ).map(({ candidate }) => candidate.text)
  assert.equal(names('linux-lts'), ['linux-lts-6-r0', 'linux-lts-extra-6-r0'])
  assert.match(errorOf(() => names('linux-ltss')).message, /near: linux-lts/)
})

test('a list of packages: comments, blanks, errors with their line', () => {
  const list = parsePackagesList('# base\nbusybox\n\nopenssh>=9.7 # sshd\n!dropbear\n', 'packages.list')
  assert.equal(
    list.map(({ by }) => by),
    ['packages.list:2', 'packages.list:4', 'packages.list:5'],
  )
  assert.match(errorOf(() => parsePackagesList('a\nb c\n', 'packages.list')).message, /packages\.list:2: 'b c'/)
  assert.match(errorOf(() => parsePackagesList('a\nb==\n', 'packages.list')).message, /packages\.list:2: 'b=='/)
})

test('a world has every name once; two conditions name both who ask', () => {
  assert.is(world('a', 'a>1', 'a').length, 1)
  assert.is(world('a', 'a>1')[0]!.dependency.version, '1')
  const { message } = errorOf(() => mergeWorld([worldEntry('a>1', 'list:1'), worldEntry('a<2', 'acme')]))
  assert.is(message, 'list:1 wants a>1, acme wants a<2')
  assert.is(parseDependency('a', 'x').conflict, false)
})

test.run()
