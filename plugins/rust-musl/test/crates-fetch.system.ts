import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FileTree, type Json, type PinnedSource, sha256 } from '@zos/core'
import { rejection } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { vendoredSources } from '../dist/cargo-config.js'
import { parseCargoLock } from '../dist/cargo-lock.js'
import { fetchCrates } from '../dist/crates-fetch.js'
import { type CratesPin, type CratesSource, cratesInside, pinCrates } from '../dist/crates-source.js'
import { fetchContext, has, MemoryBlobs, newFolder, removeFolder, treeOf, writeTree } from './contexts.js'

// Dependencies come from git repositories of this folder, so that nothing needs a network.
const root = newFolder()
const blobs = new MemoryBlobs()
test.after(() => removeFolder(root))

const git = (folder: string, ...args: string[]): void => {
  const as = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
  execFileSync('git', [...as, '-c', 'init.defaultBranch=main', ...args], { cwd: folder, stdio: 'ignore' })
}

const manifest = (name: string, rest = ''): string =>
  `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2021"\n${rest}`

/** A repository with one crate, and on it a tag and a branch. */
const repository = (name: string, rest = ''): string => {
  const folder = join(root, name)
  mkdirSync(join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'Cargo.toml'), manifest(name, rest))
  writeFileSync(join(folder, 'src', 'lib.rs'), `pub fn name() -> &'static str { "${name}" }\n`)
  git(folder, 'init', '-q')
  git(folder, 'add', '-A')
  git(folder, 'commit', '-q', '-m', 'one')
  git(folder, 'tag', 'v1.0')
  git(folder, 'branch', 'feat/x')
  return `file://${folder}`
}

const dependencies = (): string => {
  const [a, b, c, d] = ['alpha', 'beta', 'gamma', 'delta'].map((name) => repository(name))
  return [
    '[dependencies]',
    `alpha = { git = "${a}" }`,
    `beta = { git = "${b}", tag = "v1.0" }`,
    `gamma = { git = "${c}", branch = "feat/x" }`,
    '[target."cfg(windows)".dependencies]',
    `delta = { git = "${d}" }`,
  ].join('\n')
}

const ready = has('cargo') && has('git')
const skip = (name: string): void => console.log(`skip ${name}: cargo or git is not there`)

const source = (folder: string): PinnedSource => ({
  name: 'tool',
  source: { kind: 'git', url: 'x' },
  pin: { folder } as Json,
})

const warnings: string[] = []
const quiet = { blobs, warn: (code: string, message: string) => void warnings.push(`${code} ${message}`) }

test('a crate without Cargo.lock gets one, and a build of it needs no network', async () => {
  if (!ready) return skip('crates from git')
  const tree = await treeOf(blobs, {
    'sub/Cargo.toml': manifest('tool', dependencies()),
    'sub/src/main.rs': 'fn main() { println!("{}{}{}", alpha::name(), beta::name(), gamma::name()) }\n',
  })
  const inside = await cratesInside(source('sub'), tree, 'sub', quiet)
  assert.is(inside.sha256, undefined)
  const sources = { tool: { tree } }
  const home = join(root, 'cargo-home')
  const context = () => fetchContext({ blobs, root, env: { CARGO_HOME: home }, sources })
  const pin = (await pinCrates(inside, context())) as unknown as CratesPin
  assert.is(pin.lock, 'sub/Cargo.lock')
  const lock = parseCargoLock(pin.lines.join('\n'), 'pin')
  assert.equal(lock.packages.map(({ name }) => name).sort(), ['alpha', 'beta', 'delta', 'gamma', 'tool'])

  const fetched = await fetchCrates({ name: 'tool/crates', source: inside, pin: pin as unknown as Json }, context())
  const crates = fetched.tree!
  assert.equal(crates.list('/'), ['alpha-0.1.0', 'beta-0.1.0', 'delta-0.1.0', 'gamma-0.1.0'])
  assert.ok(crates.get('/beta-0.1.0/src/lib.rs'))
  const other = crates.get('/delta-0.1.0/src/lib.rs')
  assert.is(other?.kind === 'file' && other.blob.size, 0, 'what only Windows needs is a manifest')
  assert.equal(fetched.facts, { lock: 'sub/Cargo.lock' })

  const place = join(root, 'offline')
  await writeTree(join(place, 'vendor'), crates, blobs)
  await writeTree(join(place, 'src'), tree, blobs)
  writeFileSync(join(place, 'src', 'sub', 'Cargo.lock'), await blobs.read(fetched.blob!))
  mkdirSync(join(place, 'home'))
  writeFileSync(join(place, 'home', 'config.toml'), vendoredSources(lock, join(place, 'vendor')))
  removeFolder(join(root, 'alpha'))
  execFileSync('cargo', ['check', '--quiet', '--offline', '--locked'], {
    cwd: join(place, 'src', 'sub'),
    env: { ...process.env, CARGO_HOME: join(place, 'home'), CARGO_TARGET_DIR: join(place, 'target') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
})

test('a Cargo.lock that is there decides; the nearest one upwards', async () => {
  const lock = 'version = 4\n\n[[package]]\nname = "tool"\nversion = "0.1.0"\n'
  const files = {
    'Cargo.toml': '[workspace]\nmembers = ["a/tool"]\n',
    'Cargo.lock': lock,
    'a/tool/Cargo.toml': manifest('tool'),
  }
  const tree = await treeOf(blobs, { ...files, 'a/tool/src/main.rs': 'fn main() {}\n' })
  const inside = await cratesInside(source('a/tool'), tree, 'a/tool', quiet)
  assert.equal([inside.lock, inside.sha256], ['Cargo.lock', sha256(lock)])
  const context = fetchContext({ blobs, root, sources: { tool: { tree } } })
  assert.is(await pinCrates(inside, context), null)
  const fetched = await fetchCrates({ name: 'tool/crates', source: inside, pin: null }, context)
  assert.equal([fetched.tree?.digest, await blobs.read(fetched.blob!)], [FileTree.empty.digest, Buffer.from(lock)])
  const error = await rejection(cratesInside(source(''), tree, 'tool', quiet))
  assert.match(error.message, 'no tool/Cargo.toml')
  assert.match(error.hint.join(), 'a/tool')
})

test('a Cargo.lock from before Rust 1.53 is made anew, and that is said', async () => {
  if (!ready) return skip('an old lock file')
  const files = { 'Cargo.toml': manifest('tool'), 'Cargo.lock': '[[package]]\nname = "tool"\nversion = "0.1.0"\n' }
  const tree = await treeOf(blobs, { ...files, 'src/main.rs': 'fn main() {}\n' })
  const inside = await cratesInside(source(''), tree, '', quiet)
  assert.is(inside.sha256, undefined)
  assert.match(warnings.join(), 'RUST_LOCK tool: Cargo.lock: no version, as before Rust 1.53')
  const pin = (await pinCrates(
    inside,
    fetchContext({ blobs, root, sources: { tool: { tree } } }),
  )) as unknown as CratesPin
  assert.match(pin.lines.join('\n'), /^version = [34]$/m)
})

test('what cargo says about a missing crate reaches people; offline it is not asked', async () => {
  if (!ready) return skip('an error of cargo')
  const tree = await treeOf(blobs, {
    'Cargo.toml': manifest('tool', '[dependencies]\nnone = { git = "file:///nowhere/at/all" }\n'),
    'src/main.rs': 'fn main() {}\n',
  })
  const wanted: CratesSource = { kind: 'cargo-vendor', of: { in: 'project', folder: 'tool' }, folder: '' }
  const context = fetchContext({ blobs, root, env: { CARGO_HOME: join(root, 'home') }, folders: { tool: tree } })
  const error = await rejection(pinCrates(wanted, context))
  assert.is(error.code, 'RUST_CARGO')
  assert.match(error.message, /^error: failed to get `none` as a dependency/)
  const offline = await rejection(pinCrates(wanted, { ...context, offline: true }))
  assert.is(offline.code, 'OFFLINE')
})

/** Starts the registry of `omega`; gives its index as cargo names it. */
const registry = async (folder: string): Promise<{ index: string; server: Worker }> => {
  mkdirSync(join(folder, 'omega-0.1.0/src'), { recursive: true })
  writeFileSync(join(folder, 'omega-0.1.0/Cargo.toml'), manifest('omega'))
  // Content that hardly compresses, so that half of it is on its way when the server hangs up.
  writeFileSync(join(folder, 'omega-0.1.0/src/lib.rs'), `// ${randomBytes(50_000).toString('hex')}\n`)
  execFileSync('tar', ['-czf', 'omega.crate', 'omega-0.1.0'], { cwd: folder })
  const server = new Worker(new URL('./cut-registry.js', import.meta.url), { workerData: folder })
  const [index] = (await once(server, 'message')) as [string]
  return { index, server }
}

test('a registry that hangs up in the middle of a crate: told with the crate; then all of it comes', async () => {
  if (!ready) return skip('a registry that hangs up')
  const folder = join(root, 'registry')
  const { index, server } = await registry(folder)
  try {
    const tree = await treeOf(blobs, {
      'Cargo.toml': manifest('tool', '[dependencies]\nomega = { version = "0.1", registry = "local" }\n'),
      'src/main.rs': 'fn main() {}\n',
    })
    const env = { CARGO_HOME: join(root, 'cut-home'), CARGO_REGISTRIES_LOCAL_INDEX: index, CARGO_NET_RETRY: '0' }
    const context = () => fetchContext({ blobs, root, env, folders: { tool: tree } })
    const wanted: CratesSource = { kind: 'cargo-vendor', of: { in: 'project', folder: 'tool' }, folder: '' }
    const pin = await pinCrates(wanted, context())
    const fetched = () => fetchCrates({ name: 'tool/crates', source: wanted, pin: pin as unknown as Json }, context())
    writeFileSync(join(folder, 'cut'), '')
    const error = await rejection(fetched())
    assert.is(error.code, 'RUST_CARGO')
    assert.match(error.message, /omega/)
    rmSync(join(folder, 'cut'))
    const { tree: crates } = await fetched()
    assert.ok(crates?.get('/omega-0.1.0/src/lib.rs'))
  } finally {
    await server.terminate()
  }
})

test.run()
