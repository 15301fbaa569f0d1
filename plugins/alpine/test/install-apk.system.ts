// The whole way: a mirror made of a real root file system, the built CLI, and the real apk on what came out.
// time limit: 300 s
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { indexPackage, writeIndex } from '../dist/format/write-index.js'
import { madeKey, makeApk } from './made-package.js'
import { packagesOf } from './minirootfs.js'
import { type Mirror, repositoryFiles, serveFiles } from './mirror.js'
import { type Ran, RealApk } from './real-apk.js'

const project = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const key = madeKey()

/** A project in a folder of its own, which uses the packages of this checkout. */
class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'zos-alpine-'))

  constructor(config: string) {
    this.write('package.json', '{ "name": "trial", "private": true, "type": "module" }\n')
    this.write('zos.config.ts', config)
    this.write(`keys/${key.name}`, key.publicKey)
    symlinkSync(join(project, 'node_modules'), join(this.folder, 'node_modules'))
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }))
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true })
    writeFileSync(join(this.folder, path), content)
  }

  /** Not in this process: the mirror has to answer meanwhile. */
  zos(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const { ZOS_STORE: _, ...inherited } = process.env
    const child = spawn(process.execPath, [join(project, 'core/dist/cli/main.js'), ...args], {
      cwd: this.folder,
      env: { ...inherited, ...env },
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (text: Buffer) => (output.stdout += text.toString()))
    child.stderr.on('data', (text: Buffer) => (output.stderr += text.toString()))
    return new Promise((resolve) => child.on('close', (code) => resolve({ status: code ?? -1, ...output })))
  }

  async succeed(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { status, stdout, stderr } = await this.zos(args, env)
    assert.is(status, 0, `zos ${args.join(' ')}\n${stdout}${stderr}`)
    return stdout
  }

  /** The root file system of the last build in a folder. */
  unpacked(): string {
    const root = join(this.folder, 'root')
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root)
    const command = 'gzip -dc "$0" | cpio -idm --quiet --no-absolute-filenames'
    const { status, stderr } = spawnSync('sh', ['-c', command, join(this.folder, 'dist/initramfs.cpio.gz')], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.is(status, 0, stderr)
    return root
  }
}

const config = (mirror: string, packages: string, more = ''): string => `
import { defineConfig } from '@zos/core'
import { alpine } from '@zos/alpine'
export default defineConfig(() => ({
  name: 'trial',
  initramfs: { compression: 'gzip' },
  plugins: [alpine({ branch: '3.20', mirrors: '${mirror}', packages: ${packages}, keys: 'keys' ${more} })],
}))
`

const judge = RealApk.find()

if (typeof judge === 'string') console.log(`skip install-apk: ${judge}`)
else {
  let mirror: Mirror
  let packages: Map<string, Uint8Array>
  const files = new Map<string, Uint8Array>()

  const publish = async (place: string, all: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const indexed = await Promise.all([...all].map(([name, bytes]) => indexPackage(bytes, name)))
    for (const [path, bytes] of repositoryFiles(place, all, await writeIndex(indexed, key))) files.set(path, bytes)
  }

  test.before(async () => {
    packages = await packagesOf(judge.root, key)
    await publish('v3.20/main', packages)
    await publish(
      'v3.20/community',
      new Map([
        [
          'extra-1-r0.apk',
          await makeApk(
            'extra',
            '1-r0',
            { files: { '/usr/bin/extra': '#!/bin/sh\necho extra\n' }, modes: { '/usr/bin/extra': 0o755 } },
            key,
          ),
        ],
      ]),
    )
    mirror = await serveFiles(files)
  })
  test.after(() => mirror.close())

  test('the real apk lists, audits clean and adds packages on what was built', async () => {
    const trial = new Project(
      config(mirror.url, "['alpine-baselayout', 'alpine-keys', 'apk-tools', 'busybox', 'libc-utils']"),
    )
    await trial.succeed(['build'])
    // Something stands for every script of these packages, else a release would end here.
    await trial.succeed(['build', '--mode', 'release'])
    const root = trial.unpacked()
    const apk = (...args: string[]) => judge.exec(['/sbin/apk', ...args], root)

    const installed = (text: string) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .sort()
    const before = judge.exec(['/sbin/apk', 'info', '-v'], judge.root)
    assert.equal(installed(apk('info', '-v').stdout), installed(before.stdout))
    assert.is(apk('audit', '--system', '--check-permissions').stdout, '')
    const changed = apk('audit', '--check-permissions').stdout.trim().split('\n').sort()
    const theirs = judge
      .exec(['/sbin/apk', 'audit', '--check-permissions'], judge.root)
      .stdout.trim()
      .split('\n')
      .sort()
    console.log({ changed, theirs })

    writeFileSync(join(root, 'etc/apk/repositories'), '')
    mkdirSync(join(root, 'repository/x86_64'), { recursive: true })
    for (const [path, bytes] of files)
      if (path.startsWith('/v3.20/community/x86_64/'))
        writeFileSync(join(root, 'repository/x86_64', path.split('/').at(-1)!), bytes)
    const added = apk('add', '--no-network', '-X', '/repository', 'extra')
    assert.is(added.status, 0, added.stdout + added.stderr)
    assert.is(judge.exec(['/usr/bin/extra'], root).stdout, 'extra\n')
    assert.match(apk('info').stdout, /^extra$/m)
    assert.is(apk('del', 'extra').status, 0)
    assert.not.ok(existsSync(join(root, 'usr/bin/extra')))
    assert.match(readFileSync(join(root, 'etc/passwd'), 'utf8'), /^klogd:x:\d+:/m)
  })
}

test.run()
