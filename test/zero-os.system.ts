// time limit: 1500 s
// The flagship as it is, built against a mirror of Debian's packages in Alpine's format and booted. Real: the Alpine side,
// zinit of its crate, zosstorage, sshd, redis, udev. Stand-ins, which say so on the console: rfs, mycelium, corex.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlobFiles } from '../core/dist/store/blob-files.js'
import { makeRepository } from './alpine-mirror/repository.js'
import { makeUpstreams } from './upstreams.js'
import { type Build, build, expectRan, project, start, startZos, storeOf, succeed } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-flagship-'))
const copy = join(folder, 'project')
const config = 'variants/test.config.ts'
const servers: Server[] = []
test.after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Serves files below folders by the first part of the path. */
const serve = (roots: Readonly<Record<string, string>>): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      const [, first = '', ...rest] = decodeURIComponent(request.url ?? '').split('/')
      const path = join(roots[first] ?? '/nowhere', ...rest)
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-length': statSync(path).size })
      createReadStream(path).pipe(response)
    })
    servers.push(server)
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })

/** A copy of the project with a variant that names other servers, and nothing else. */
const prepare = async (): Promise<void> => {
  const blobs = join(folder, 'blobs')
  mkdirSync(join(blobs, 'in'), { recursive: true })
  const repository = await makeRepository(
    join(storeOf(project), 'test-mirror'),
    new BlobFiles(blobs, join(blobs, 'in')),
  )
  const upstreams = makeUpstreams(join(folder, 'upstream'))
  mkdirSync(copy)
  for (const path of ['package.json', 'zos.config.ts', 'config', 'variants', 'plugins/zosstorage/crate'])
    cpSync(join(project, path), join(copy, path), { recursive: true, filter: (from) => !from.includes('/target') })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  mkdirSync(storeOf(project), { recursive: true })
  symlinkSync(storeOf(project), join(copy, '.zos'))
  mkdirSync(join(copy, 'keys'))
  writeFileSync(join(copy, 'keys', repository.key.name), repository.key.pem)
  const url = await serve({ alpine: repository.folder, corex: join(folder, 'upstream') })
  // The quickstart's crate in place of a repository: both need it compiled only once.
  const crateZinit = {
    ...{ from: 'crate', url: 'none', ref: 'none', crate: 'zinit', version: '0.3.9', optionalInstall: 'none' },
    ...{ defaultFeatures: false, features: ['client', 'server', 'pid1'] },
    patches: ['config/quickstart/zinit-pid1.patch'],
    install: { zinit: '/sbin/zinit', 'zinit-server': '/sbin/zinit-server', 'zinit-pid1': '/sbin/zinit-pid1' },
  }
  const changes = {
    // Debian has a plugin for a database that nothing in the image uses.
    system: { unlinked: ['/usr/lib/x86_64-linux-gnu/sasl2/*'] },
    alpine: { mirrors: [`${url}/alpine`], keys: 'keys' },
    'rust-musl': {
      zinit: crateZinit,
      rfs: { url: upstreams.rfs, files: 'none', env: 'none' },
      mycelium: { url: upstreams.mycelium },
      corex: { url: `${url}/corex/corex.static` },
    },
  }
  // The stand-in's build script downloads nothing.
  const plugins = JSON.stringify(changes).replaceAll('"none"', 'undefined')
  writeFileSync(
    join(copy, config),
    `import zeroOs from '../zos.config.ts'\nexport default zeroOs.variant({ name: 'zero-os-test', initramfs: { compression: 'zstd', level: 1 }, plugins: ${plugins} as never })\n`,
  )
}

/** Alpine's kernel: compiling one takes longer than all the rest. */
process.env.KERNEL_VERSION = 'lts'
const skip = ['cargo', 'rustc', 'apt-get'].find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
let first: Build | undefined

test('the flagship builds against the local mirror, and a second build runs nothing', async () => {
  if (skip !== undefined) return console.log(`skip flagship: ${skip} is not there`)
  await prepare()
  first = await build(config, copy, 900)
  assert.ok(first.manifest.outputs.some(({ name }) => name === 'vmlinuz.efi'))
  const aliases = first.manifest.outputs.find(({ name }) => name === 'vmlinuz.efi')!.aliases
  assert.match(aliases.join(), /^vmlinuz-6\.12\.\d+\S*-[0-9a-f]{7}\.efi$/)
  expectRan(await build(config, copy, 200), [])
})

const consoleText = (): string => {
  const path = join(copy, 'dist/zero-os-test/vm/console.log')
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r', '') : ''
}

const until = async (holds: () => boolean, seconds: number): Promise<boolean> => {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    if (holds()) return true
    await new Promise((wake) => setTimeout(wake, 200))
  }
  return false
}

test('it boots to zinit with every unit up, and can be logged in to', async () => {
  if (!first) return
  const run = ['run', '-c', config, '--memory', '2048', '--disks', '1', '--timeout', '300', '--json']
  const machine = startZos(run, copy, 320)
  const { ssh } = JSON.parse(await machine.firstLine) as { ssh: string[] }
  const isReady = (): boolean =>
    /^zero-os: ready after .* zinit-pid1 is PID 1, \S+ 10\.0\.2\.15\/24$/m.test(consoleText())
  assert.ok(await until(isReady, 290), `not ready:\n${consoleText()}`)
  for (const name of ['rfs', 'mycelium', 'corex']) assert.match(consoleText(), `${name}: stand-in of the test`)

  const ask = async (command: string): Promise<string> =>
    (await succeed(ssh[0]!, [...ssh.slice(1), command], folder, 60)).stdout.trim()
  const units = await ask('zinit list')
  assert.not.match(units, /Error|Failed|Blocked/i, units)
  for (const name of ['udevd', 'dhcpcd', 'sshd', 'redis', 'mycelium', 'corex', 'console'])
    assert.match(units, new RegExp(`\\b${name} +Running\\b`), units)
  assert.is(await ask('redis-cli ping'), 'PONG')
  assert.is(await ask('. /etc/os-release; echo $NAME'), 'Zero-OS')
  assert.is(await ask('cut -d: -f2 /etc/shadow | head -n 1'), '')
  assert.match(await ask('udevadm info -q property -n /dev/vda'), /DEVTYPE=disk/)
  assert.match(await ask('cat /run/zosstorage/state.json'), /"status"/)
  await start(ssh[0]!, [...ssh.slice(1), 'zinit poweroff'], folder, 60).ended
  assert.is((await machine.ended).end, 0)
})

test.run()
