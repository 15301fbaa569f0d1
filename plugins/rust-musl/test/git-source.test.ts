import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZosError } from '@zos/core'
import { errorOf, rejection } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gitCrateSource, pinGitCrate, remoteCommit } from '../dist/git-source.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-rust-git-'))
test.after(() => rmSync(folder, { recursive: true }))

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })

test('branches and tags of a real repository', () => {
  git('init', '-q', '-b', 'main')
  writeFileSync(join(folder, 'a'), '1')
  git('add', 'a')
  git('commit', '-q', '-m', 'one')
  git('tag', '-a', 'v1.0.0', '-m', 'annotated')
  git('branch', 'side/line')
  writeFileSync(join(folder, 'a'), '2')
  git('commit', '-q', '-a', '-m', 'two')
  git('tag', 'light')
  const [first, second] = [git('rev-parse', 'main~').trim(), git('rev-parse', 'main').trim()]
  const listing = git('ls-remote', folder)
  assert.equal(remoteCommit(listing, 'main'), { commit: second, ref: 'refs/heads/main' })
  assert.equal(remoteCommit(listing, 'HEAD'), { commit: second, ref: 'HEAD' })
  assert.equal(remoteCommit(listing, 'light'), { commit: second, ref: 'refs/tags/light' })
  assert.equal(remoteCommit(listing, 'v1.0.0'), { commit: first, ref: 'refs/tags/v1.0.0' })
  assert.equal(remoteCommit(listing, 'refs/heads/side/line'), { commit: first, ref: 'refs/heads/side/line' })
  assert.is(remoteCommit(listing, 'line'), undefined)
  git('branch', 'light')
  const error = errorOf(() => remoteCommit(git('ls-remote', folder), 'light'))
  assert.is(error.code, 'RUST_GIT_REF')
  assert.match(error.hint.join(), 'refs/heads/light or refs/tags/light')
})

test('a repository that cannot be reached is named, and how to name another', async () => {
  const url = join(folder, 'nowhere')
  const run = async () => {
    const stderr = `fatal: '${url}' does not appear to be a git repository`
    throw new ZosError('PROCESS_FAILED', 'git ended with exit code 128', { data: { stderr } })
  }
  const { code, message, hint } = await rejection(pinGitCrate(gitCrateSource(url, 'main', ''), { run } as never))
  assert.is(code, 'RUST_GIT')
  assert.is(message, `git could not look at ${url}: fatal: '${url}' does not appear to be a git repository`)
  assert.match(String(hint), /url of the component/)
})

test.run()
