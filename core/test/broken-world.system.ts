// time limit: 600 s
// Disks that are full or read-only, a clock that jumps, servers that hang up: a clear error, and nothing broken after.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FaultyPlace, outputsOf } from './faults.js'
import { clean, commit, scratch, upstream, write } from './git-repository.js'
import { content } from './http-server.js'
import { configOf, Project, pluginsFile, temporaryFolder } from './temporary-project.js'

const env = { SOURCE_DATE_EPOCH: '1700000000' }
const place = await FaultyPlace.make()
const sound = place.project()
await sound.built([], { env })
const expected = outputsOf(sound)

const isRoot = process.getuid?.() === 0
const mounts: string[] = []
const mount = (folder: string, ...args: string[]): void => {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', [...args, folder])
  mounts.push(folder)
}
test.after.each(() => {
  for (const folder of mounts.splice(0)) execFileSync('umount', ['-l', folder])
})

/** Runs a test that has to mount something. */
const asRoot = (name: string, run: () => Promise<void>): void => {
  if (isRoot) test(name, run)
  else console.log(`skip ${name}: not root`)
}

asRoot(
  'a store whose disk gets full, early or late: an error that says so, and a good build once there is room',
  async () => {
    for (const kilobytes of [64, 150, 350, 700, 1000, 1300]) {
      const project = place.project()
      mount(project.path('.zos'), '-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs')
      const { code, error } = await project.build([], { env })
      const said = `${kilobytes} kB: ${JSON.stringify(error)}`
      assert.match(error?.message, /disk is full|space left|cannot be written|database or disk is full/i, said)
      // What git and commands meet is told as theirs.
      if (!/^(GIT_|ACTION_|PROCESS_)/.test(error?.code)) {
        assert.is(code, 7, said)
        assert.match(error?.code, /^STORE_/, said)
        assert.match(error?.hint.join('\n'), /make room|ZOS_STORE/, said)
      }
      execFileSync('mount', ['-o', 'remount,size=100m', project.path('.zos')])
      await project.built([], { env })
      assert.equal(outputsOf(project), expected, `${kilobytes} kB`)
      assert.equal(readdirSync(project.path('.zos/v2/work')), [])
    }
  },
)

asRoot('an output folder whose disk gets full keeps nothing half', async () => {
  const project = place.project()
  mount(project.path('dist'), '-t', 'tmpfs', '-o', 'size=200k', 'tmpfs')
  const { code, error } = await project.build([], { env })
  assert.equal([code, error?.code], [1, 'OUTPUT_FOLDER'], JSON.stringify(error))
  assert.match(error?.hint.join('\n'), /make room there/)
  assert.equal(
    readdirSync(project.path('dist')).filter((name) => name === 'manifest.json'),
    [],
  )
  execFileSync('mount', ['-o', 'remount,size=100m', project.path('dist')])
  await project.built([], { env })
  assert.equal(outputsOf(project), expected)
})

asRoot('a store on a read-only file system', async () => {
  const project = place.project()
  await project.built([], { env })
  project.write({ 'files/a.txt': 'other\n' })
  execFileSync('mount', ['--bind', project.path('.zos'), project.path('.zos')])
  mounts.push(project.path('.zos'))
  execFileSync('mount', ['-o', 'remount,ro,bind', project.path('.zos')])
  const { code, error } = await project.build([], { env })
  assert.is(code, 7, JSON.stringify(error))
  assert.match(error?.code, /^STORE_/)
  assert.match(error?.hint.join('\n'), /ZOS_STORE/)
  execFileSync('mount', ['-o', 'remount,rw,bind', project.path('.zos')])
  project.write({ 'files/a.txt': 'content a\n' })
  await project.built([], { env })
  assert.equal(outputsOf(project), expected)
})

test('a clock that jumps a century ahead and back again', async () => {
  const project = place.project()
  await project.built([], { env })
  const ahead = 'data:text/javascript,const now=Date.now;Date.now=()=>now()+3.2e12'
  project.write({ 'files/a.txt': 'of the future\n' })
  assert.ok('demo/files' in (await project.built([], { env, node: ['--import', ahead] })).ran)
  assert.equal((await project.built([], { env })).ran, {})
  project.write({ 'files/a.txt': 'of the present\n' })
  assert.ok('demo/files' in (await project.built([], { env })).ran)
  project.write({ 'files/a.txt': 'content a\n' })
  assert.equal((await project.built([], { env })).ran, {})
  assert.equal(outputsOf(project), expected)
})

/** Passes connections on to `port`, and hangs up after so many bytes of answers. */
const cuttingProxy = async (port: number, limit: { bytes: number }): Promise<{ server: Server; port: number }> => {
  const server = createServer((client) => {
    const origin = connect(port, '127.0.0.1')
    let passed = 0
    client.on('error', () => origin.destroy()).pipe(origin)
    origin
      .on('error', () => client.destroy())
      .on('data', (bytes: Buffer) => {
        passed += bytes.length
        if (passed <= limit.bytes) return void client.write(bytes)
        client.destroy()
        origin.destroy()
      })
      .on('end', () => client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Serves the scratch folder's repositories by git's own protocol. */
const gitDaemon = async (): Promise<{ port: number; stop(): void }> => {
  const port = await freePort()
  const args = [
    'daemon',
    '--export-all',
    '--reuseaddr',
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${scratch}`,
  ]
  const child = spawn('git', args, { stdio: 'ignore', detached: true })
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    if (open) break
    await pause(50)
  }
  return { port, stop: () => child.pid && process.kill(-child.pid, 'SIGKILL') }
}

const gitProject = (url: string): Project =>
  new Project({
    'zos.config.ts': configOf(`local.demo(${JSON.stringify({ url })})`),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options) => {
  hooks.resolve.tap('plan', (plan) => plan.source('code', git(options.url, { ref: 'main' })))
  hooks.assemble.tap('code', async (tree, ctx) => tree.delta().tree((await ctx.fetched('code')).tree, '/code'))
})`),
  })

test('a git server that hangs up in the middle: named, with what git says; then a good build', async () => {
  const repository = upstream('served')
  write(repository, { 'large.bin': content(600_000).toString('latin1') })
  commit(repository, 'one', { 'file.txt': 'x' })
  const daemon = await gitDaemon()
  const limit = { bytes: 0 }
  const proxy = await cuttingProxy(daemon.port, limit)
  try {
    const project = gitProject(`git://127.0.0.1:${proxy.port}/served`)
    for (const bytes of [100_000]) {
      limit.bytes = bytes
      const { code, error } = await project.build([], { env })
      assert.equal([code, error?.code], [5, 'GIT_FETCH'], `${bytes}: ${JSON.stringify(error)}`)
      assert.match(
        error?.message,
        /git could not fetch from git:\/\/127\.0\.0\.1:\d+\/served \(\d tries/,
        error?.message,
      )
      assert.match(error?.hint.join('\n'), /network/)
      assert.equal(readdirSync(project.path('.zos/v2/work')), [])
    }
    limit.bytes = Number.POSITIVE_INFINITY
    await project.built([], { env })
  } finally {
    proxy.server.close()
    daemon.stop()
  }
})

/** Command lines of all processes that name a text. */
const running = (text: string): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
      } catch {
        return false
      }
    }).length

test('Ctrl-C while git waits for a server that says nothing: everything has ended within 5 s', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const url = `git://127.0.0.1:${(silent.address() as AddressInfo).port}/served`
  const project = gitProject(url)
  let since = 0
  const { code, err } = await project.zos(['build'], {
    onStart: async (child) => {
      while (running(`ls-remote\0--\0${url}`) === 0) await pause(20)
      since = performance.now()
      child.kill('SIGINT')
    },
  })
  const ms = performance.now() - since
  silent.close()
  assert.is(code, 130)
  assert.is(err, 'interrupted; what was finished is in the store\n')
  assert.ok(ms < 5000, `${ms} ms`)
  assert.is(running(url), 0)
})

test('two builds of one project at once, five edits long: each ends well, with the bytes of its files', async () => {
  const store = temporaryFolder()
  const projects = [place.project(), place.project()]
  for (let round = 0; round < 5; round++) {
    for (const project of projects) project.write({ 'files/b.txt': `round ${round}\n` })
    await Promise.all(projects.map((project) => project.built([], { env: { ...env, ZOS_STORE: store } })))
    const [one, two] = projects.map(outputsOf)
    assert.equal(one, two)
  }
  assert.equal(readdirSync(`${store}/v2/work`), [])
})

test.after(async () => {
  await place.close()
  clean()
})
test.run()
