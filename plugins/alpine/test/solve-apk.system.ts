// The real apk is asked for each world: some 0.1 s each on an idle machine.
// time limit: 900 s
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDependency } from '../dist/format/dependency.js'
import { parseIndex } from '../dist/format/index-text.js'
import { readIndex } from '../dist/format/read-index.js'
import { alpineKeys } from '../dist/repository/keys.js'
import { IndexTable } from '../dist/solve/index-table.js'
import { search } from '../dist/solve/solve.js'
import { Universe } from '../dist/solve/universe.js'
import { fixture, RealApk } from './real-apk.js'

/** Worlds that are drawn; of those that have no solution both have to say so. */
const count = 330

const judge = RealApk.find()
const index = fixture('alpine-316-main-x86_64-APKINDEX.tar.gz')

if (typeof judge === 'string' || index === undefined)
  console.log(`skip solve-apk: ${typeof judge === 'string' ? judge : 'no real index beside the project'}`)
else {
  const { text } = await readIndex(readFileSync(index), alpineKeys('x86_64'), 'main')
  const universe = new Universe([{ label: 'main', table: IndexTable.of(parseIndex(text, 'main')) }])
  const names = universe.candidates.map(({ entry }) => entry.name)
  const offered = [...universe.offered()].filter((name) => !name.startsWith('/'))

  let state = 20221121
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * limit)
  }
  const drawn = (): string[] => {
    const world = new Map([['busybox', 'busybox']])
    const wanted = 1 + below(below(6) === 0 ? 60 : 14)
    for (let one = 0; one < wanted; one++) {
      const kind = below(24)
      const name = kind < 3 ? offered[below(offered.length)]! : names[below(names.length)]!
      const { candidate } = universe.name(name).providers[0]!
      const operator = ['=', '>=', '<=', '~'][below(4)]!
      const isOwn = candidate.entry.name === name
      world.set(
        name,
        kind === 5 ? `!${name}` : kind === 6 && isOwn ? `${name}${operator}${candidate.entry.version}` : name,
      )
    }
    return [...world.values()]
  }

  test(`the real apk gives the same solutions of ${count} worlds drawn from a real index`, () => {
    mkdirSync(judge.path('main/x86_64'), { recursive: true })
    mkdirSync(judge.path('empty'))
    copyFileSync(index, judge.path('main/x86_64/APKINDEX.tar.gz'))
    const started = judge.run(['add', '--root', '/trial/empty', '--initdb', '--no-network', '--arch', 'x86_64'])
    assert.is(started.status, 0, started.stderr)
    let solvable = 0
    for (let one = 0; one < count; one++) {
      const world = drawn()
      const { packages, errors } = search(
        universe,
        world.map((text) => parseDependency(text, 'world')),
      )
      const options = [
        '--simulate',
        '--root',
        '/trial/empty',
        '--keys-dir',
        '/etc/apk/keys',
        '--arch',
        'x86_64',
        '--no-network',
        '-X',
        '/trial/main',
      ]
      const theirs = judge.run(['add', ...options, ...world])
      assert.is(errors === 0, theirs.status === 0, `${world.join(' ')}\n${theirs.stdout}`)
      if (errors > 0) continue
      solvable++
      const installed = [...theirs.stdout.matchAll(/^\(\d+\/\d+\) Installing (\S+) \((\S+)\)/gm)]
      assert.equal(
        packages.map((candidate) => candidate.text),
        installed.map(([, name, version]) => `${name}-${version}`),
        world.join(' '),
      )
    }
    console.log(`${solvable} of ${count} worlds have a solution`)
    assert.ok(solvable > count / 3)
  })
}

test.run()
