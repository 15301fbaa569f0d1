import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchCommit, type GitCheckout, makeRepositorySnapshot } from '../dist/io/git.js'
import { storedZlib } from '../dist/io/git-snapshot.js'
import { digestOf } from '../dist/model/canonical.js'
import { clean, commit, context, env, gitIn, upstream, workdir } from './git-repository.js'

test.after(clean)

const project = upstream('project')
commit(project, 'first', { 'README.md': 'one\n', 'a/b/c.txt': 'c\n' })
gitIn(project, 'tag', '-a', 'v1.0', '-m', 'version 1')
commit(project, 'second', { 'a/d.txt': 'x'.repeat(100_000) })
gitIn(project, 'checkout', '--quiet', '-b', 'side', 'HEAD~1')
commit(project, 'side', { side: 'side' })
gitIn(project, 'checkout', '--quiet', 'main')
gitIn(project, 'merge', '--quiet', '--no-ff', '-m', 'x'.repeat(70_000), 'side')
gitIn(project, 'tag', 'group/light')
chmodSync(join(project, 'README.md'), 0o755)
const pinned = commit(project, 'last', { link: { link: 'a/b' }, [`long/${'n'.repeat(200)}`]: '' })

const request = { url: project, commit: pinned, submodules: true, history: true }

const put = (checkout: GitCheckout, files: ReadonlyMap<string, Uint8Array>): void => {
  for (const [path, content] of files) {
    const place = join(checkout.folder, '.git', path)
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, content)
  }
}

test('git itself takes the snapshot for the repository', async () => {
  const checkout = await fetchCommit(request, workdir(), context)
  put(checkout, await makeRepositorySnapshot(checkout, context))
  rmSync(checkout.gitFolder, { recursive: true })
  const git = (...args: string[]) => gitIn(checkout.folder, ...args)
  assert.is(git('describe', '--tags', '--always', '--dirty=-modified'), `group/light-1-g${pinned.slice(0, 7)}`)
  assert.is(git('describe', '--dirty'), `v1.0-4-g${pinned.slice(0, 7)}`)
  assert.is(git('status', '--porcelain'), '')
  assert.is(git('log', '-1', '--format=%H %s'), `${pinned} last`)
  assert.is(git('rev-list', '--count', 'HEAD'), gitIn(project, 'rev-list', '--count', pinned))
  assert.is(git('log', '--format=%s', '-1', 'v1.0'), 'first')
  assert.is(git('ls-files', '--stage'), gitIn(project, 'ls-files', '--stage'))
  const pack = git('rev-parse', '--git-path', 'objects/pack')
  execFileSync('sh', ['-c', `git verify-pack ${pack}/*.idx`], { cwd: checkout.folder, env, stdio: 'ignore' })
  writeFileSync(join(checkout.folder, 'README.md'), 'two\n')
  assert.match(git('describe', '--tags', '--dirty=-modified'), /-modified$/)
})

test('the same bytes from another clone, whatever else the server has by then', async () => {
  const one = await fetchCommit(request, workdir(), context)
  const digest = async (checkout: GitCheckout): Promise<string> => {
    const files = await makeRepositorySnapshot(checkout, context)
    return digestOf([...files].map(([path, content]) => [path, Buffer.from(content).toString('base64')]))
  }
  const before = await digest(one)
  gitIn(project, 'tag', '-a', 'v2.0', '-m', 'version 2')
  commit(project, 'after', { after: '' })
  gitIn(project, 'gc', '--quiet', '--aggressive')
  const two = await fetchCommit({ ...request, tags: one.tags }, workdir(), context)
  assert.is(await digest(two), before)
  assert.is(two.describe, one.describe)
})

test('a commit without its history, too', async () => {
  const checkout = await fetchCommit({ ...request, history: false }, workdir(), context)
  const files = await makeRepositorySnapshot(checkout, context)
  assert.is(files.get('shallow')?.toString(), `${pinned}\n`)
  put(checkout, files)
  const git = (...args: string[]) => gitIn(checkout.folder, ...args)
  assert.is(git('describe', '--always', '--dirty'), pinned.slice(0, 7))
  assert.is(git('rev-list', '--count', 'HEAD'), '1')
})

test('stored zlib is read by any reader', () => {
  for (const size of [0, 1, 65_534, 65_535, 65_536, 131_070, 200_000]) {
    const data = Buffer.alloc(size, 'pattern')
    assert.ok(inflateSync(storedZlib(data)).equals(data), String(size))
  }
})

test.run()
