// time limit: 300 s
// An image of Alpine packages that were made here: what a release does about scripts that nothing stands for, and a build
// from the lock's mirror alone, in a folder and in a real S3 server, once index and packages are gone.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeApk, makeIndex, makeKey } from './alpine-mirror/made.js'
import { engineEnvironment } from './container-engines.js'
import { type Minio, noMinio, startMinio } from './minio.js'
import { type Ended, project, startZos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-alpine-'))
const key = makeKey()

const served = new Map<string, Uint8Array>()
/** Puts packages, and nothing else, into the repository that is served. */
const publish = async (packages: Readonly<Record<string, Uint8Array>>): Promise<void> => {
  const place = '/v3.22/main/x86_64'
  served.clear()
  for (const [name, bytes] of Object.entries(packages)) served.set(`${place}/${name}`, bytes)
  served.set(`${place}/APKINDEX.tar.gz`, await makeIndex(packages, key))
}
const server = createServer((request, response) => {
  const bytes = served.get(request.url ?? '')
  response.writeHead(bytes ? 200 : 404).end(bytes)
})
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

test.after(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A project of its own, with these packages in its image. */
const makeProject = (name: string, packages: readonly string[]): string => {
  const place = join(folder, name)
  mkdirSync(join(place, 'keys'), { recursive: true })
  writeFileSync(join(place, 'keys', key.name), key.publicKey)
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }\n')
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
  const options = { branch: '3.22', repositories: ['main'], mirrors: [url], keys: 'keys', packages }
  writeFileSync(
    join(place, 'zos.config.ts'),
    `import { defineConfig } from '@zos/core'
import { alpine } from '@zos/alpine'
export default defineConfig({
  name: 'small', initramfs: { compression: 'none' }, plugins: [alpine(${JSON.stringify(options)})],
})
`,
  )
  return place
}

const zos = (place: string, ...args: string[]): Promise<Ended> => startZos(args, place, 120).ended
const image = (place: string): Buffer => readFileSync(join(place, 'dist/initramfs.cpio'))
const forget = (place: string): void => {
  for (const name of ['.zos', 'dist']) rmSync(join(place, name), { recursive: true, force: true })
}
const succeeds = (ended: Ended): string => {
  assert.is(ended.end, 0, ended.stdout + ended.stderr)
  return ended.stdout + ended.stderr
}

const users = '#!/bin/sh\naddgroup -S web 2>/dev/null\nadduser -S -D -H -G web web 2>/dev/null\nexit 0\n'

test('a script that nothing stands for is a warning, and ends a release', async () => {
  await publish({
    'odd-1-r0.apk': await makeApk(
      key,
      { name: 'odd', version: '1-r0' },
      { '/usr/bin/odd': 'odd' },
      {
        'post-install': '#!/bin/sh\nodd --make-cache /var/cache/odd\n',
      },
    ),
    'web-1-r0.apk': await makeApk(
      key,
      { name: 'web', version: '1-r0' },
      { '/usr/bin/web': 'web' },
      { 'pre-install': users },
    ),
  })
  const place = makeProject('scripts', ['odd', 'web'])
  const said = succeeds(await zos(place, 'build'))
  assert.match(said, /warning ALPINE_SCRIPTS [\s\S]*odd \(post-install\)/)
  const list = succeeds(await zos(place, 'apk', 'scripts'))
  assert.match(list, /^odd .*post-install/m)
  const refused = await zos(place, 'build', '--mode', 'release')
  assert.is.not(refused.end, 0)
  assert.match(
    refused.stderr,
    /error ALPINE_SCRIPTS \[alpine, build\] odd\n[\s\S]*odd \(post-install\)\n {2}hint: .*zos apk scripts NAME/,
  )
  assert.not.match(refused.stderr, /web \(/)

  const plain = makeProject('plain', ['web'])
  succeeds(await zos(plain, 'lock'))
  succeeds(await zos(plain, 'build', '--mode', 'release'))
})

/** Builds, keeps the lock's inputs in `target`, and builds again once the repository has moved on, and once it is gone. */
const outlives = async (name: string, target: string): Promise<void> => {
  const [lib, tool] = [
    { name: 'lib', version: '1-r0' },
    { name: 'tool', version: '1-r0', depends: ['lib'] },
  ]
  await publish({
    'lib-1-r0.apk': await makeApk(key, lib, { '/usr/lib/lib.so': 'lib 1' }),
    'tool-1-r0.apk': await makeApk(key, tool, { '/usr/bin/tool': 'tool 1' }),
  })
  const place = makeProject(name, ['tool'])
  succeeds(await zos(place, 'build'))
  const first = image(place)
  assert.match(succeeds(await zos(place, 'lock', '--mirror', target)), /: 2 inputs, \d+ new objects/)

  await publish({ 'lib-2-r0.apk': await makeApk(key, { ...lib, version: '2-r0' }, { '/usr/lib/lib.so': 'lib 2' }) })
  forget(place)
  const moved = await zos(place, 'build', '--frozen')
  assert.match(moved.stderr, /error ALPINE_SUPERSEDED .*[\s\S]*zos update alpine[\s\S]*zos lock --mirror/)
  succeeds(await zos(place, 'build', '--frozen', '--mirror', target))
  assert.equal(image(place), first)

  served.clear()
  forget(place)
  assert.is.not((await zos(place, 'build', '--frozen', '--offline')).end, 0)
  forget(place)
  const alone = succeeds(await zos(place, 'build', '--frozen', '--offline', '--mirror', target))
  assert.not.match(alone, /warning/)
  assert.equal(image(place), first)
}

test('a build from a mirror in a folder, once the repository has moved on, and once it is gone', () =>
  outlives('in-a-folder', join(folder, 'kept')))

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
const engine = engineEnvironment('podman', folder)
if (busybox === undefined) console.log('skip a toolchain of Alpine packages: no busybox here')
else if ('reason' in engine) console.log(`skip a toolchain of Alpine packages: ${engine.reason}`)
else
  test('a toolchain of Alpine packages runs commands in bubblewrap and in a container, to the same bytes', async () => {
    const files = { '/bin/busybox': readFileSync(busybox), '/etc/busybox-paths.d/busybox': 'bin/sh\nbin/cat\nbin/ls\n' }
    await publish({ 'busybox-1-r0.apk': await makeApk(key, { name: 'busybox', version: '1-r0' }, files) })
    const place = makeProject('toolchain', ['busybox'])
    const options = `branch: '3.22', repositories: ['main'], mirrors: ['${url}'], keys: 'keys', packages: ['busybox']`
    writeFileSync(
      join(place, 'zos.config.ts'),
      `import { alpine } from '@zos/alpine'
import { defineConfig, definePlugin } from '@zos/core'
import * as v from 'valibot'
const probe = definePlugin<object>()({
  name: 'probe', version: '1.0.0', code: import.meta.url, options: v.strictObject({}),
  apply(hooks) {
    hooks.assemble.tap('said', async (tree, ctx) => {
      const toolchain = await ctx.host({ tools: ['sh', 'cat'] })
      const command = ['/bin/sh', '-euc', 'ls -l /bin | cat >said; cat /lib/apk/db/installed >>said']
      const { tree: made } = await ctx.run({ name: 'said', command, inputs: {}, outputs: ['said'], toolchain })
      return tree.delta().tree(made)
    })
  },
})
const tools = alpine.as('tools', { ${options}, image: false })
export default defineConfig({
  name: 'small', plugins: [tools, probe()], toolchain: tools.root, initramfs: { compression: 'none' },
})
`,
    )
    succeeds(await zos(place, 'build'))
    const first = image(place)
    assert.match(first.toString('latin1'), /cat -> \/bin\/busybox\n[\s\S]*P:busybox\n/)
    forget(place)
    const args = ['build', '--executor', 'podman']
    succeeds(await startZos(args, place, 120, engine.env).ended)
    assert.is(image(place).toString('latin1'), first.toString('latin1'))
  })

if (noMinio !== undefined) console.log(`skip a mirror in an S3 bucket: ${noMinio}`)
else {
  let minio: Minio
  test('a build from a mirror in an S3 bucket, once the repository has moved on, and once it is gone', async () => {
    minio = await startMinio(join(folder, 'minio'))
    await minio.client.makeBucket('kept')
    const { accessKey, secretKey } = await minio.user('writer', [
      { Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::kept', 'arn:aws:s3:::kept/*'] },
    ])
    await outlives('in-a-bucket', `s3://${accessKey}:${secretKey}@127.0.0.1:${minio.port}/kept/of/zos`)
  })
  test.after(() => minio?.kill())
}

test.run()
