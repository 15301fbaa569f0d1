import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchCommit, resolveRef } from '../dist/io/git.js'
import { storedZlib } from '../dist/io/git-snapshot.js'
import { checkSubmoduleUrl, gitTransport, submoduleUrl } from '../dist/io/git-url.js'
import {
  clean,
  commit,
  context,
  env,
  failure,
  filesIn,
  gitIn,
  scratch,
  upstream,
  workdir,
  write,
} from './git-repository.js'
import { serve } from './http-server.js'

test.after(clean)

const project = upstream('project')
const first = commit(project, 'first', { 'README.md': 'one\n' })
gitIn(project, 'tag', '-a', 'v1.0', '-m', 'version 1')
const second = commit(project, 'second', { 'src/main.rs': 'fn main() {}\n', 'run.sh': '#!/bin/sh\n' })
gitIn(project, 'tag', 'light')
const third = commit(project, 'third', { 'src/link': { link: 'main.rs' } })
gitIn(project, 'branch', 'both')
gitIn(project, 'tag', 'both', first)
const url = `file://${project}`
const pin = { url, submodules: true, history: true }

test('branches, tags and commits are resolved', async () => {
  assert.equal(await resolveRef(url, 'main', context), { commit: third, ref: 'refs/heads/main' })
  assert.equal(await resolveRef(url, 'v1.0', context), { commit: first, ref: 'refs/tags/v1.0' })
  assert.equal(await resolveRef(url, 'light', context), { commit: second, ref: 'refs/tags/light' })
  assert.equal(await resolveRef(project, 'HEAD', context), { commit: third, ref: 'HEAD' })
  assert.equal(await resolveRef(url, 'refs/tags/both', context), { commit: first, ref: 'refs/tags/both' })
  assert.equal(await resolveRef(url, second, context), { commit: second, ref: undefined })
  const both = await failure(resolveRef(url, 'both', context))
  assert.is(both.code, 'GIT_REF')
  assert.match(both.hint.join(), 'refs/heads/both or refs/tags/both')
  assert.match((await failure(resolveRef(url, 'nowhere', context))).message, 'has no branch or tag nowhere')
  assert.match((await failure(resolveRef(url, second.slice(0, 8), context))).hint.join(), 'all its 40 digits')
})

test('a commit is fetched with its files, its facts and the tags before it', async () => {
  const result = await fetchCommit({ ...pin, commit: third, ref: 'refs/heads/main' }, workdir(), context)
  assert.is(result.commit, third)
  assert.is(result.describe, `light-1-g${third.slice(0, 12)}`)
  assert.is(result.time, Number(gitIn(project, 'show', '-s', '--format=%ct', third)))
  assert.equal(result.tags, { light: second, 'v1.0': gitIn(project, 'rev-parse', 'v1.0') }, 'tags')
  assert.equal(result.submodules, [])
  assert.equal(filesIn(result.folder), {
    'README.md': 'one\n',
    'run.sh': '#!/bin/sh\n',
    'src/main.rs': 'fn main() {}\n',
  })
  assert.ok(lstatSync(join(result.folder, 'src/link')).isSymbolicLink())
  assert.not(existsSync(join(result.folder, '.git')))
})

test('tags made later change nothing where the tags are pinned', async () => {
  const later = upstream('later')
  const pinned = commit(later, 'only', { file: 'x' })
  const source = { url: later, commit: pinned, submodules: false, history: true }
  const before = await fetchCommit(source, workdir(), context)
  assert.is(before.describe, pinned.slice(0, 12))
  assert.equal(before.tags, {})
  gitIn(later, 'tag', '-a', 'v9', '-m', 'later')
  const after = await fetchCommit({ ...source, tags: before.tags }, workdir(), context)
  assert.is(after.describe, pinned.slice(0, 12))
  const now = await fetchCommit(source, workdir(), context)
  assert.is(now.describe, `v9-0-g${pinned.slice(0, 12)}`)
  gitIn(later, 'tag', '-d', 'v9')
  gitIn(later, 'tag', '-a', 'v10', '-m', 'another')
  const still = await failure(fetchCommit({ ...source, tags: { v9: '1'.repeat(40) } }, workdir(), context))
  assert.is(still.code, 'GIT_COMMIT')
})

test('a pin stays when its branch moves, also by force', async () => {
  const moving = upstream('moving')
  commit(moving, 'one', { file: '1' })
  const old = commit(moving, 'two', { file: '2' })
  gitIn(moving, 'reset', '--quiet', '--hard', 'HEAD~1')
  const next = commit(moving, 'other', { file: '3' })
  assert.equal(await resolveRef(moving, 'main', context), { commit: next, ref: 'refs/heads/main' })
  const request = { url: moving, commit: old, ref: 'refs/heads/main', submodules: true, history: true }
  assert.equal(filesIn((await fetchCommit(request, workdir(), context)).folder), { file: '2' })
  gitIn(moving, 'reflog', 'expire', '--expire=now', '--all')
  gitIn(moving, 'prune', '--expire=now')
  const error = await failure(fetchCommit(request, workdir(), context))
  assert.is(error.code, 'GIT_COMMIT')
  assert.match(error.message, `has no ${old} (pinned from main)`)
  assert.match(error.hint.join(), 'zos update')
})

test('without history only the commit is there', async () => {
  const result = await fetchCommit({ ...pin, commit: third, history: false }, workdir(), context)
  assert.is(result.describe, third.slice(0, 12))
  assert.is(gitIn(result.gitFolder, 'rev-list', '--count', third), '1')
})

test('a repository that an interrupted run left is used again', async () => {
  const folder = workdir()
  await fetchCommit({ ...pin, commit: third }, folder, context)
  const again = await fetchCommit({ ...pin, url: 'file:///no/such/place', commit: third }, folder, context)
  assert.is(again.describe, `light-1-g${third.slice(0, 12)}`)
})

test('files are the bytes of the repository, whatever the user’s settings are', async () => {
  const raw = upstream('raw')
  const files = {
    '.gitattributes': '* text=auto\n*.bat eol=crlf\n*.txt ident\n*.x filter=shout\n*.u working-tree-encoding=UTF-16\n',
    'a.bat': 'one\ntwo\n',
    'id.txt': '$Id$\n',
    'u.u': 'text',
    'dev-disk-by\\x2duuid.mount': '[Mount]\n',
  }
  const { '.gitattributes': attributes, ...plain } = files
  commit(raw, 'files', { ...plain, 'a.x': 'quiet\n' })
  write(raw, { '.gitattributes': attributes })
  gitIn(raw, 'add', '.gitattributes')
  gitIn(raw, 'commit', '--quiet', '-m', 'attributes')
  const all = gitIn(raw, 'rev-parse', 'HEAD')
  writeFileSync(
    join(env.HOME, '.gitconfig'),
    `[core]\n\tautocrlf = true\n\thooksPath = ${scratch}/hooks\n\tattributesFile = ${scratch}/attributes
[filter "shout"]\n\tsmudge = tr a-z A-Z\n\trequired = true\n[log]\n\tshowSignature = true\n[init]\n\ttemplateDir = ${scratch}/template\n`,
  )
  for (const folder of ['hooks', 'template/hooks']) {
    mkdirSync(join(scratch, folder), { recursive: true })
    for (const hook of ['post-checkout', 'reference-transaction']) {
      writeFileSync(join(scratch, folder, hook), `#!/bin/sh\ntouch ${scratch}/hooked\n`)
      chmodSync(join(scratch, folder, hook), 0o755)
    }
  }
  writeFileSync(join(scratch, 'attributes'), '* filter=shout\n')
  const result = await fetchCommit({ url: raw, commit: all, submodules: true, history: true }, workdir(), {
    ...context,
    env: { ...env, GIT_DIR: '/nonsense', GIT_INDEX_FILE: '/nonsense', GIT_WORK_TREE: '/' },
  })
  writeFileSync(join(env.HOME, '.gitconfig'), '')
  assert.equal(filesIn(result.folder), { ...files, 'a.x': 'quiet\n' })
  assert.not(existsSync(join(scratch, 'hooked')))
})

test('submodules are fetched at their pins, with addresses meant from the parent’s', async () => {
  const inner = upstream('group/inner')
  const innerCommit = commit(inner, 'inner', { 'deep.txt': 'deep\n' })
  commit(inner, 'newer', { 'deep.txt': 'newer\n' })
  const middle = upstream('group/middle')
  const link = (folder: string, path: string, address: string, oid: string): void => {
    write(folder, { '.gitmodules': `[submodule "x"]\n\tpath = ${path}\n\turl = ${address}\n` })
    gitIn(folder, 'update-index', '--add', '--cacheinfo', `160000,${oid},${path}`)
    gitIn(folder, 'add', '.gitmodules')
    gitIn(folder, 'commit', '--quiet', '-m', 'submodule')
  }
  write(middle, { 'middle.txt': 'middle\n' })
  gitIn(middle, 'add', '--all')
  link(middle, 'lib/inner', '../inner', innerCommit)
  const middleCommit = gitIn(middle, 'rev-parse', 'HEAD')
  const outer = upstream('group/outer')
  link(outer, 'vendor/middle', `file://${scratch}/group/middle`, middleCommit)
  const outerCommit = gitIn(outer, 'rev-parse', 'HEAD')
  const request = { url: `file://${outer}`, commit: outerCommit, submodules: true, history: true }
  const result = await fetchCommit(request, workdir(), context)
  assert.equal(Object.keys(filesIn(result.folder)), [
    '.gitmodules',
    'vendor/middle/.gitmodules',
    'vendor/middle/lib/inner/deep.txt',
    'vendor/middle/middle.txt',
  ])
  assert.is(filesIn(result.folder)['vendor/middle/lib/inner/deep.txt'], 'deep\n')
  assert.equal(result.submodules, [
    { path: 'vendor/middle', url: `file://${scratch}/group/middle`, commit: middleCommit },
    { path: 'vendor/middle/lib/inner', url: `file://${scratch}/group/inner`, commit: innerCommit },
  ])
  const without = await fetchCommit({ ...request, submodules: false }, workdir(), context)
  assert.equal(Object.keys(filesIn(without.folder)), ['.gitmodules'])

  write(outer, { '.gitmodules': '' })
  gitIn(outer, 'add', '.gitmodules')
  gitIn(outer, 'commit', '--quiet', '-m', 'no address')
  const error = await failure(
    fetchCommit({ ...request, commit: gitIn(outer, 'rev-parse', 'HEAD') }, workdir(), context),
  )
  assert.is(error.code, 'GIT_SUBMODULE')
  assert.match(error.message, 'vendor/middle')
})

test('an altered object is refused', async () => {
  const altered = upstream('altered')
  const pinned = commit(altered, 'one', { file: 'right\n' })
  const blob = gitIn(altered, 'rev-parse', 'HEAD:file')
  const path = join(altered, '.git/objects', blob.slice(0, 2), blob.slice(2))
  const bytes = inflateSync(readFileSync(path))
  assert.is(bytes.toString('latin1'), 'blob 6\0right\n')
  chmodSync(path, 0o644)
  writeFileSync(path, storedZlib(Buffer.from('blob 6\0wrong\n')))
  const error = await failure(
    fetchCommit({ url: altered, commit: pinned, submodules: true, history: true }, workdir(), context),
  )
  assert.ok(['GIT_FETCH', 'GIT_COMMIT'].includes(error.code), error.code)
})

test('over HTTP, from a server that gives no single commits, with the user’s credentials', async () => {
  const bare = join(scratch, 'dumb.git')
  execFileSync('git', ['clone', '--quiet', '--bare', project, bare], { stdio: 'ignore' })
  gitIn(bare, 'update-server-info')
  const wanted = `Basic ${Buffer.from('me:geheim').toString('base64')}`
  const server = await serve((request, response) => {
    const path = join(bare, new URL(request.url as string, 'http://x').pathname.replace('/dumb.git', ''))
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    } else if (existsSync(path) && lstatSync(path).isFile()) response.end(readFileSync(path))
    else response.writeHead(404).end()
  })
  const address = `${server.url.replace('://', '://me:geheim@')}/dumb.git`
  assert.equal(await resolveRef(address, 'main', context), { commit: third, ref: 'refs/heads/main' })
  const result = await fetchCommit({ ...pin, url: address, commit: second }, workdir(), context)
  assert.is(result.describe, `light-0-g${second.slice(0, 12)}`)
  const wrong = await failure(resolveRef(address.replace('geheim', 'falsch'), 'main', context))
  assert.is(wrong.code, 'GIT_FETCH')
  assert.match(wrong.hint.join(), 'credential')
  assert.not.match(JSON.stringify([wrong.message, wrong.hint, wrong.data]), 'falsch')
  await server.close()
  const gone = await failure(resolveRef(`${server.url}/x.git`, 'main', context))
  assert.match(gone.message, '(2 tries')
})

test('addresses: helpers, options and local submodules of remote repositories are refused', async () => {
  assert.equal(
    ['https://a/b', 'ssh://git@a/b', 'git@a.org:b/c.git', 'host:path', '/srv/x', 'file:///x', 'git://a/b'].map(
      gitTransport,
    ),
    ['https', 'ssh', 'ssh', 'ssh', 'file', 'file', 'git'],
  )
  for (const bad of [
    'ext::sh -c touch% /x',
    '-oProxyCommand=x',
    '../x',
    'x',
    'ssh://-oProxyCommand=x/',
    'a::b',
    'https://a\n',
    '',
  ]) {
    assert.throws(() => gitTransport(bad), /is no git address/, bad)
  }
  assert.is((await failure(resolveRef('ext::touch x', 'main', context))).code, 'GIT_URL')
  assert.is((await failure(fetchCommit({ ...pin, commit: 'main' }, workdir(), context))).code, 'GIT_COMMIT')
  assert.throws(
    () => checkSubmoduleUrl('https://a/b', 'file:///etc'),
    /is a local submodule of the remote https:\/\/a\/b/,
  )
  assert.throws(() => checkSubmoduleUrl('https://a/b', '/etc'), /local submodule/)
  assert.is(checkSubmoduleUrl('/a/b', '/a/c'), '/a/c')
  assert.equal(
    [
      submoduleUrl('https://h/g/outer.git', '../inner.git'),
      submoduleUrl('https://h/g/outer.git/', './in'),
      submoduleUrl('git@h:g/outer', '../../x/y'),
      submoduleUrl('git@h:outer', '../y'),
      submoduleUrl('/srv/g/outer', '../../inner'),
      submoduleUrl('https://h/g', 'https://else/x'),
    ],
    ['https://h/g/inner.git', 'https://h/g/outer.git/in', 'git@h:x/y', 'git@h:y', '/srv/inner', 'https://else/x'],
  )
  assert.throws(() => submoduleUrl('https://h/g', '../../../x'), /leads above/)
})

test.run()
