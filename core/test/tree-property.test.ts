import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { DeltaBuilder } from '../dist/model/delta.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { comparePaths, parentOf } from '../dist/model/tree-path.js'
import { directory, file, linkOf, mergedUsr, paths, symlink } from './tree-samples.js'

const by = { plugin: 'p' }
const name = fc.constantFrom('a', 'b', 'c', 'lib', 'a-b', 'ä')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`)
const target = fc.oneof(
  path,
  path.map((absolute) => absolute.slice(1)),
  fc.tuple(fc.nat({ max: 5 }), path).map(([up, below]) => '../'.repeat(up) + below.slice(1)),
  fc.constantFrom('/', '..', '.', 'a/', 'lib/../..', './b//c'),
)
const origin = fc.constantFrom(undefined, { plugin: 'p' }, { plugin: 'q', package: 'x' })
const attributes = fc
  .record({ mode: fc.constantFrom(0o644, 0o755, 0o700), origin })
  .map(({ mode, origin: who }) => ({ mode, ...(who && { origin: who }) }))
const content = fc.constantFrom('x', 'y')
const plain: fc.Arbitrary<TreeRecord> = fc.oneof(
  fc.tuple(path, content, attributes).map(([where, what, how]) => file(where, what, how)),
  fc.tuple(path, attributes).map(([where, how]) => directory(where, how)),
  fc.tuple(path, target).map(([where, to]) => symlink(where, to)),
)
const linked = fc
  .tuple(path, fc.constantFrom('/a', '/lib/b', '/c/c'))
  .map(([where, link]) => file(where, link, { link }))

/** The records that fit together, in the order given. */
const grow = (records: readonly TreeRecord[]): FileTree => {
  const fitting: TreeRecord[] = []
  let tree = FileTree.empty
  for (const record of records) {
    try {
      tree = FileTree.from([...fitting, record])
      fitting.push(record)
    } catch (error) {
      assert.ok(isZosError(error) && error.code.startsWith('TREE_'), String(error))
    }
  }
  return Object.assign(FileTree.decode(tree.encode()), { [fc.toStringMethod]: () => contents(tree) })
}
const plainTree = fc.array(plain, { maxLength: 14 }).map(grow)
const anyTree = fc
  .array(fc.oneof({ weight: 3, arbitrary: linked }, { weight: 2, arbitrary: plain }), { maxLength: 14 })
  .map(grow)
const contents = (tree: FileTree) =>
  JSON.stringify([tree.get('/'), ...tree.records()].map((entry) => ({ ...entry, origin: null })))

const check = <T extends [unknown, ...unknown[]]>(
  title: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...values: T) => void,
) =>
  test(title, () => {
    fc.assert(fc.property(...arbitraries, holds), { numRuns: 300 })
  })

check('encode and decode are each other’s reverse', [anyTree], (tree) => {
  const again = FileTree.decode(tree.encode())
  assert.equal([...again.records()], [...tree.records()])
  assert.equal(again.get('/'), tree.get('/'))
  assert.is(again.digest, tree.digest)
})

check('a tree is what its records say', [anyTree], (tree) => {
  const again = FileTree.from([{ ...tree.get('/')!, path: '/' }, ...tree.records()])
  assert.is(again.digest, tree.digest)
  assert.equal([...again.records()], [...tree.records()])
  assert.is(paths(tree).length, tree.count)
  assert.equal(paths(tree), paths(tree).sort(comparePaths))
})

check('the digest is equal if and only if the content is', [anyTree, anyTree], (a, b) => {
  assert.is(a.digest === b.digest, contents(a) === contents(b))
  assert.is(a.digest === b.digest, [...a.diff(b)].length === 0)
})

check('no record is below a link, and every path is its own', [anyTree], (tree) => {
  for (const { path: where, ...entry } of tree.records()) {
    assert.is(tree.resolve(parentOf(where)), parentOf(where))
    assert.equal(tree.get(where), entry)
  }
})

check('resolving ends at a record of the tree, whatever the links say', [plainTree, path], (tree, where) => {
  try {
    const resolved = tree.resolve(where)
    if (resolved === undefined) return
    assert.is(tree.resolve(resolved), resolved)
    assert.is.not(tree.get(resolved)?.kind, 'symlink')
    assert.is.not(tree.get(resolved), undefined)
  } catch (error) {
    assert.is(isZosError(error) && error.code, 'TREE_LOOP')
  }
})

check('a put lands inside, where its path resolves to, and changes nothing else', [plainTree, path], (tree, where) => {
  try {
    const after = tree.apply(new DeltaBuilder({ over: 'any' }).file(where, 'put').build(), by)
    const landed = `${(tree.resolve(parentOf(where)) ?? after.resolve(parentOf(where)))!.replace(/\/$/, '')}/${where.split('/').at(-1)}`
    const changed = [...tree.diff(after)]
    assert.is(changed.at(-1)?.path, landed)
    for (const { path: parent, before } of changed.slice(0, -1)) {
      assert.is(before, undefined)
      assert.ok(landed.startsWith(`${parent}/`))
    }
  } catch (error) {
    if (!isZosError(error)) throw error
    assert.ok(['TREE_PARENT', 'TREE_KIND', 'TREE_LOOP'].includes(error.code), error.stack ?? '')
  }
})

check('the difference, applied, gives the other tree', [plainTree, plainTree], (before, after) => {
  const changes = [...before.diff(after)]
  const delta = new DeltaBuilder({ over: 'any' })
  const moved = changes.filter((change) => change.before?.kind !== change.after?.kind)
  for (const { path: where } of moved.filter((change) => change.before).reverse()) delta.remove(where)
  for (const { path: where, after: entry } of changes) {
    if (entry?.kind === 'directory') delta.directory(where, entry)
    else if (entry?.kind === 'file') delta.file(where, entry.blob, entry)
    else if (entry?.kind === 'symlink') delta.symlink(where, entry.target, entry)
  }
  assert.is(before.apply(delta.build(), by).digest, after.digest)
})

check('a whole tree put on nothing is that tree, and putting it again changes nothing', [anyTree], (tree) => {
  const delta = new DeltaBuilder().tree(tree).build()
  const once = FileTree.empty.apply(delta, by)
  assert.is(once.digest, tree.digest)
  assert.equal(once.apply(delta, by).encode(), once.encode())
})

check('putting below a link or below what it points to is the same', [fc.array(path, { maxLength: 8 })], (all) => {
  const through = grow([...mergedUsr, ...all.map((below) => file(`/lib${below}`, 'x'))])
  const straight = grow([...mergedUsr, ...all.map((below) => file(`/usr/lib${below}`, 'x'))])
  assert.is(through.digest, straight.digest)
  const bulk = grow(all.map((below) => file(`/lib${below}`, 'x')))
  assert.is(FileTree.from(mergedUsr).apply(new DeltaBuilder().tree(bulk).build(), by).digest, straight.digest)
})

/** Every group is named after its first path, has two members or more, and they are alike. */
const assertGroups = (tree: FileTree): void => {
  const groups = new Map<string, TreeRecord[]>()
  for (const record of tree.records()) {
    const link = linkOf(record)
    if (link !== undefined) groups.set(link, [...(groups.get(link) ?? []), record])
  }
  for (const [link, members] of groups) {
    assert.ok(members.length > 1, link)
    assert.is(members[0]?.path, link)
    for (const { path: _, origin: __, ...rest } of members) {
      const { path: ___, origin: ____, ...first } = members[0]!
      assert.equal(rest, first)
    }
  }
}

check('hard links stay whole through every operation', [anyTree, path], (tree, where) => {
  assertGroups(tree)
  const kind = answer(() => tree.get(where)?.kind)
  if (kind === 'loop') return
  const directoryAt = kind === 'directory'
  if (directoryAt) {
    assertGroups(tree.subtree(where))
    assert.is(tree.subtree(where).digest, tree.digestAt(where))
    assertGroups(tree.mount(where, tree))
    const back = tree.mount(where, tree.subtree(where))
    assertGroups(back)
    assert.is(back.digestAt(where), tree.digestAt(where))
  }
  assertGroups(tree.filter((record) => record.path !== where))
  if (kind === undefined) return
  assertGroups(tree.apply(new DeltaBuilder().remove(where).build(), by))
  assertGroups(tree.apply(new DeltaBuilder().set(where, { mode: 0o600 }).build(), by))
  if (directoryAt) return
  assertGroups(tree.apply(new DeltaBuilder().replace(where, 'new').build(), by))
  assertGroups(tree.apply(new DeltaBuilder({ over: 'any' }).file(where, 'new').build(), by))
})

test('paths resolve as the kernel resolves them', () => {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'zos-tree-')))
  let round = 0
  const depth = (where: string) => where.split('/').length - 2
  const climbs = (to: string) => to.split('/').filter((part) => part === '..').length
  try {
    fc.assert(
      fc.property(plainTree, fc.array(path, { minLength: 1, maxLength: 10 }), (grown, asked) => {
        // On disk the root is a folder: links that climb above it lead elsewhere there.
        const tree = grown.filter((record) => record.kind !== 'symlink' || climbs(record.target) <= depth(record.path))
        const inner = [...tree.records()].some(
          (record) => record.kind === 'symlink' && /[^./]\/+\.\./.test(record.target),
        )
        if (inner) return
        const root = join(scratch, String(round++))
        mkdirSync(root)
        for (const record of tree.records()) {
          if (record.kind === 'directory') mkdirSync(root + record.path)
          else if (record.kind === 'file') writeFileSync(root + record.path, '')
          else if (record.kind === 'symlink') {
            symlinkSync(record.target.startsWith('/') ? root + record.target : record.target, root + record.path)
          }
        }
        for (const where of [...asked, ...paths(tree)]) {
          assert.is(
            answer(() => tree.resolve(where)),
            answer(() => realpathSync.native(root + where).slice(root.length) || '/'),
            where,
          )
        }
        rmSync(root, { recursive: true })
      }),
      { numRuns: 150 },
    )
    assert.ok(round > 50, `only ${round} trees were fit for a disk`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
})

/** A path, `loop`, or undefined when there is nothing. */
const answer = (resolve: () => string | undefined): string | undefined => {
  try {
    return resolve()
  } catch (error) {
    const { code } = error as { code: string }
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP' || code === 'TREE_LOOP') return 'loop'
    throw error
  }
}

test.run()
