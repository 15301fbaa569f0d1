// time limit: 240 s
// Publishing to a real MinIO server, with a user that writes and one that reads; the server dies, fills up and is lied to.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'minio'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Keys, type Minio, noMinio, startMinio } from './minio.js'
import { kernelSize, makeProject, zosIn } from './publish-project.js'
import type { Ended } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-publish-'))
const bucket = 'images'
const place = join(folder, 'project')
let minio: Minio
let writer: Keys
let reader: Keys
let privateKey: string

const arn = 'arn:aws:s3:::images'
const writes = [
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], Resource: [`${arn}/pub/*`] },
  {
    Effect: 'Allow',
    Action: ['s3:ListBucket'],
    Resource: [arn],
    Condition: { StringLike: { 's3:prefix': ['pub/*'] } },
  },
]
const reads = [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`${arn}/pub/*`] }]

test.before(async () => {
  minio = await startMinio(join(folder, 'data'))
  await minio.client.makeBucket(bucket, 'us-east-1')
  writer = await minio.user('writer', writes)
  reader = await minio.user('reader', reads)
  const openssl = (...args: string[]): string => spawnSync('openssl', args, { encoding: 'utf8' }).stdout
  privateKey = openssl('genpkey', '-algorithm', 'ed25519')
  makeProject(place, 's3', "{ config: 'config/rfs.conf', sign: { key: secret('PUBLISH_KEY') } }")
  writeFileSync(join(place, 'publish.key'), privateKey)
  writeFileSync(join(place, 'publish.pub'), openssl('pkey', '-in', join(place, 'publish.key'), '-pubout'))
  rmSync(join(place, 'publish.key'))
  writeConf({})
})
test.after(async () => {
  await minio?.kill()
  rmSync(folder, { recursive: true, force: true })
})

/** The classic file of keys, with what a test wants to be otherwise. */
const writeConf = (other: Readonly<Record<string, string>>): void => {
  const keys = {
    ...{ S3_ENDPOINT: minio.endpoint, S3_REGION: 'us-east-1', S3_BUCKET: bucket, S3_PREFIX: 'pub' },
    ...{ S3_ACCESS_KEY: writer.accessKey, S3_SECRET_KEY: writer.secretKey },
    ...other,
  }
  const text = Object.entries(keys).map(([key, value]) => `${key}="${value}"\n`)
  writeFileSync(join(place, 'config/rfs.conf'), text.join(''))
}

const publish = (env: Readonly<Record<string, string>> = {}, ...words: string[]): Promise<Ended> =>
  zosIn(place, ['publish', ...words], { PUBLISH_KEY: privateKey, ...env })

/** A run that has to fail with this error, a hint, and no key in what it says. */
const expectError = ({ end, stdout, stderr }: Ended, code: string): void => {
  assert.is.not(end, 0, stdout)
  assert.match(stderr, new RegExp(`^error ${code}`, 'm'), stdout)
  assert.match(stderr, /^ {2}hint: /m)
  for (const key of [writer.accessKey, writer.secretKey]) assert.not.ok((stdout + stderr).includes(key), stderr)
}

const objects = async (): Promise<string[]> => {
  const found: string[] = []
  for await (const { name } of minio.client.listObjectsV2(bucket, '', true)) found.push(name)
  return found.sort()
}

const textOf = async (name: string, client = minio.client): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of await client.getObject(bucket, name)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Every kernel of the index is there whole, and every kernel that is there is in the index. */
const expectWholeIndex = async (): Promise<string[]> => {
  const kernels = (await objects()).filter((name) => name.endsWith('.efi'))
  const { kernels: listed, count } = JSON.parse(await textOf('pub/kernel/kernels.json'))
  assert.is(count, listed.length)
  assert.equal(listed.map((name: string) => `pub/kernel/${name}`).sort(), kernels)
  assert.is(await textOf('pub/kernel/kernels.txt'), listed.map((name: string) => `${name}\n`).join(''))
  for (const name of kernels) assert.ok((await minio.client.statObject(bucket, name)).size >= kernelSize, name)
  return listed
}

const filesBelow = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

test('kernel, flist, signatures and index arrive; the second time all of it was there', async () => {
  const first = await publish()
  assert.is(first.end, 0, first.stdout + first.stderr)
  assert.equal(await objects(), [
    'pub/kernel/kernels.json',
    'pub/kernel/kernels.txt',
    'pub/kernel/vmlinuz-6.12.1-test.efi',
    'pub/kernel/vmlinuz-6.12.1-test.efi.manifest',
    'pub/manifests/modules-6.12.1-test.fl',
    'pub/manifests/modules-6.12.1-test.fl.manifest',
  ])
  assert.equal(await expectWholeIndex(), ['vmlinuz-6.12.1-test.efi'])
  const second = await publish()
  assert.match(second.stdout, /vmlinuz-6\.12\.1-test\.efi {2}\(was there, signed\)/)
})

test('a build without a file of keys works, and says what is missing when it publishes', async () => {
  rmSync(join(place, 'config/rfs.conf'))
  assert.is((await zosIn(place, ['build'])).end, 0)
  const ended = await publish()
  writeConf({})
  assert.match(ended.stderr, /S3_SETTINGS .*\n {2}not set: S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY/)
})

test('variables switch targets: none, one, and never against the word', async () => {
  await minio.client.removeObject(bucket, 'pub/manifests/modules-6.12.1-test.fl')
  const env = { PUBLISH_KEY: privateKey }
  const none = await zosIn(place, ['build', '--json'], { ...env, UPLOAD_KERNEL: 'false' })
  assert.equal(JSON.parse(none.stdout.trimEnd().split('\n').at(-1)!).receipts, [])
  const one = await zosIn(place, ['build', '--json'], { ...env, UPLOAD_KERNEL: '1' })
  const { receipts } = JSON.parse(one.stdout.trimEnd().split('\n').at(-1)!)
  assert.equal(
    receipts.map(({ output }: { output: string }) => output),
    ['vmlinuz.efi'],
  )
  assert.not.ok((await objects()).includes('pub/manifests/modules-6.12.1-test.fl'))
  const other = await publish({ UPLOAD_KERNEL: 'false', KERNEL_SUBPATH: 'elsewhere', MANIFESTS_SUBPATH: 'flists' })
  assert.is(other.end, 0, other.stderr)
  assert.ok((await objects()).includes('pub/flists/modules-6.12.1-test.fl'))
  assert.not.ok((await objects()).some((name) => name.includes('elsewhere')))
  assert.match((await publish({ UPLOAD_KERNEL: 'maybe' })).stderr, /ENV_BOOLEAN/)
})

test('the user that reads can read, and nothing else', async () => {
  const client = new Client({ endPoint: '127.0.0.1', port: minio.port, useSSL: false, region: 'us-east-1', ...reader })
  const key = 'pub/kernel/kernels.txt'
  assert.is(await textOf(key, client), 'vmlinuz-6.12.1-test.efi\n')
  const denied = async (work: Promise<unknown>): Promise<void> => {
    await work.then(
      () => assert.unreachable('expected AccessDenied'),
      (error) => assert.is(error.code, 'AccessDenied', String(error)),
    )
  }
  await denied(client.putObject(bucket, 'pub/kernel/x.efi', 'x'))
  await denied(client.removeObject(bucket, key))
  await denied(client.listObjectsV2Query(bucket, 'pub/', '', '', 10, ''))
  await minio.client.putObject(bucket, 'private/x', 'x')
  await denied(client.getObject(bucket, 'private/x'))
  await minio.client.removeObject(bucket, 'private/x')
})

test('zos verify: right, changed, renamed, expired, of another key', async () => {
  const url = `s3://${reader.accessKey}:${reader.secretKey}@127.0.0.1:${minio.port}/${bucket}/pub`
  const verify = (target: string, key = 'publish.pub'): Promise<Ended> => zosIn(place, ['verify', '--key', key, target])
  const right = await verify(`${url}/kernel/vmlinuz-6.12.1-test.efi`)
  assert.is(right.end, 0, right.stderr)
  assert.match(right.stdout, /^ok s3:\/\/127\.0\.0\.1:\d+\/images\/pub\/kernel\/vmlinuz-6\.12\.1-test\.efi\n$/)

  const name = 'vmlinuz-6.12.1-test.efi'
  const copy = join(place, name)
  cpSync(join(place, 'dist', name), copy)
  writeFileSync(`${copy}.manifest`, await textOf(`pub/kernel/${name}.manifest`))
  assert.is((await verify(copy)).end, 0)
  cpSync(copy, join(place, 'other.efi'))
  cpSync(`${copy}.manifest`, join(place, 'other.efi.manifest'))
  assert.match((await verify('other.efi')).stderr, /VERIFY_FAILED.*\n.*its manifest is for vmlinuz-6/)
  const bytes = readFileSync(copy)
  bytes[5] = bytes[5]! ^ 1
  writeFileSync(copy, bytes)
  assert.match((await verify(name)).stderr, /its content is not what was signed/)
  writeFileSync(copy, bytes.subarray(1))
  assert.match((await verify(name)).stderr, /bytes; \d+ were signed/)
  writeFileSync(`${copy}.manifest`, (await textOf(`pub/kernel/${name}.manifest`)).replace('size ', 'size 1'))
  assert.match((await verify(name)).stderr, /MANIFEST_SIGNATURE/)
})

test('wrong keys, no bucket, a wrong clock: each says so; then a run finishes', async () => {
  writeConf({ S3_SECRET_KEY: `${writer.secretKey}x` })
  const env = { RELEASE: '6.12.2-test' }
  expectError(await publish(env), 'OBJECTS_CREDENTIALS')
  const anywhere = await minio.user('anywhere', [{ Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] }])
  writeConf({ S3_BUCKET: 'nowhere', S3_ACCESS_KEY: anywhere.accessKey, S3_SECRET_KEY: anywhere.secretKey })
  expectError(await publish(env), 'OBJECTS_BUCKET')
  writeConf({ S3_ACCESS_KEY: reader.accessKey, S3_SECRET_KEY: reader.secretKey })
  expectError(await publish(env), 'OBJECTS_DENIED')
  writeConf({})
  const clock = join(folder, 'clock.mjs')
  writeFileSync(
    clock,
    'const Real = Date; globalThis.Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Real.now() - 3600e3) } static now() { return Real.now() - 3600e3 } }\n',
  )
  expectError(await publish({ ...env, NODE_OPTIONS: `--import ${clock}` }), 'OBJECTS_CLOCK')
  assert.is((await publish(env)).end, 0)
  assert.equal(await expectWholeIndex(), ['vmlinuz-6.12.2-test.efi', 'vmlinuz-6.12.1-test.efi'])
})

/** A way to the server that a test can spoil: `onBytes` gets each connection and all bytes that went up so far. */
const spoiled = async (
  onBytes: (up: Socket, total: number, fail: (status: number) => void) => void,
  work: (endpoint: string) => Promise<void>,
): Promise<void> => {
  let total = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((up) => {
    const down = connect(minio.port, '127.0.0.1')
    for (const socket of [up, down]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        up.destroy()
        down.destroy()
      })
    }
    const fail = (status: number): void => {
      down.removeAllListeners('close').destroy()
      up.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    }
    up.on('data', (chunk: Buffer) => {
      total += chunk.length
      if (!down.destroyed) down.write(chunk)
      onBytes(up, total, fail)
    })
    down.on('data', (chunk) => up.write(chunk))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  try {
    await work(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  }
}

test('a cut connection and answers of 500 are tried again', async () => {
  let cuts = 0
  const cut = (up: Socket, total: number): void => {
    if (total < (1 << 20) * (cuts + 1) || cuts === 2) return
    cuts++
    up.destroy()
  }
  await spoiled(cut, async (S3_ENDPOINT) => {
    const ended = await publish({ RELEASE: '6.12.3-test', S3_ENDPOINT })
    assert.is(ended.end, 0, ended.stdout + ended.stderr)
  })
  assert.is(cuts, 2)
  let fails = 0
  await spoiled(
    (_up, _total, fail) => {
      if (fails++ < 2) fail(500)
    },
    async (S3_ENDPOINT) => {
      const ended = await publish({ RELEASE: '6.12.4-test', S3_ENDPOINT })
      assert.is(ended.end, 0, ended.stdout + ended.stderr)
    },
  )
  assert.ok(fails > 2)
  assert.is((await expectWholeIndex()).length, 4)
  await spoiled(
    (_up, _total, fail) => fail(503),
    async (S3_ENDPOINT) => expectError(await publish({ RELEASE: '6.12.5-test', S3_ENDPOINT }), 'OBJECTS_SERVER'),
  )
  assert.is((await expectWholeIndex()).length, 4)
})

test('a server killed in the middle of an upload: an error; a rerun finishes, and nothing was half published', async () => {
  let killed: Promise<void> | undefined
  const kill = (_up: Socket, total: number): void => {
    if (total > 1 << 20) killed ??= minio.kill()
  }
  await spoiled(kill, async (S3_ENDPOINT) => {
    expectError(await publish({ RELEASE: '6.12.5-test', S3_ENDPOINT }), 'OBJECTS_UNREACHABLE')
  })
  await killed
  await minio.start()
  assert.is((await expectWholeIndex()).length, 4)
  assert.not.ok((await objects()).includes('pub/kernel/vmlinuz-6.12.5-test.efi'))
  const again = await publish({ RELEASE: '6.12.5-test' })
  assert.is(again.end, 0, again.stderr)
  assert.is((await expectWholeIndex())[0], 'vmlinuz-6.12.5-test.efi')
})

test('two publishers at once: the index has the kernels of both', async () => {
  const other = join(folder, 'other')
  cpSync(place, other, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.zos') })
  const env = { PUBLISH_KEY: privateKey }
  const both = await Promise.all([
    zosIn(place, ['publish'], { ...env, RELEASE: '6.12.6-left' }),
    zosIn(other, ['publish'], { ...env, RELEASE: '6.12.6-right' }),
  ])
  for (const { end, stderr } of both) assert.is(end, 0, stderr)
  const kernels = await expectWholeIndex()
  assert.equal(kernels.slice(0, 2).sort(), ['vmlinuz-6.12.6-left.efi', 'vmlinuz-6.12.6-right.efi'])
})

test('zos index makes the index anew, and removes old kernels only when it is told to', async () => {
  const before = await expectWholeIndex()
  await minio.client.removeObject(bucket, 'pub/kernel/kernels.json')
  await minio.client.putObject(bucket, 'pub/kernel/kernels.txt', 'vmlinuz-of-nobody.efi\n')
  const made = await zosIn(place, ['index'])
  assert.is(made.end, 0, made.stderr)
  assert.equal(await expectWholeIndex(), before)
  const pruned = await zosIn(place, ['index', '--keep', '2', '--json'])
  assert.equal(JSON.parse(pruned.stdout).removed, before.slice(2))
  assert.equal(await expectWholeIndex(), before.slice(0, 2))
  const manifests = (await objects()).filter((name) => /kernel\/.*\.manifest$/.test(name))
  assert.is(manifests.length, 2)
})

test('no key of the user that writes is anywhere but in its file', async () => {
  const places = [join(place, 'dist'), join(place, '.zos'), join(folder, 'data', bucket)]
  const secrets = [writer.accessKey, writer.secretKey, privateKey.split('\n')[1]!]
  for (const file of [...places.flatMap(filesBelow), join(place, 'zos.lock')])
    for (const secret of secrets) assert.not.ok(readFileSync(file).includes(secret), `${file} holds a key`)
})

test('a full disk on the server: an error; a rerun finishes once there is room', async () => {
  const small = join(folder, 'small')
  mkdirSync(small)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small])
  if (mounted.status !== 0) {
    console.log('skip a full disk on the server: no right to mount a small file system')
    return
  }
  const full = await startMinio(join(small, 'data'))
  try {
    await full.client.makeBucket(bucket, 'us-east-1')
    const keys = await full.user('writer', writes)
    const env = { S3_ENDPOINT: full.endpoint, S3_ACCESS_KEY: keys.accessKey, S3_SECRET_KEY: keys.secretKey }
    writeFileSync(join(small, 'ballast'), Buffer.alloc(21 << 20))
    expectError(await publish(env), 'OBJECTS_FULL')
    rmSync(join(small, 'ballast'))
    const again = await publish(env)
    assert.is(again.end, 0, again.stderr)
  } finally {
    await full.kill()
    spawnSync('umount', [small])
  }
})

test('a folder takes the same: files, signatures, index', async () => {
  const local = join(folder, 'local')
  makeProject(local, 'folder', "{ path: 'out', sign: { key: secret('PUBLISH_KEY') } }")
  const ended = await zosIn(local, ['publish'], { PUBLISH_KEY: privateKey })
  assert.is(ended.end, 0, ended.stderr)
  assert.is(readFileSync(join(local, 'out/kernel/kernels.txt'), 'utf8'), 'vmlinuz-6.12.1-test.efi\n')
  assert.ok(existsSync(join(local, 'out/manifests/modules-6.12.1-test.fl.manifest')))
  const key = join(place, 'publish.pub')
  const verified = await zosIn(local, ['verify', '--key', key, 'out/kernel/vmlinuz-6.12.1-test.efi'])
  assert.is(verified.end, 0, verified.stderr)
})

if (noMinio === undefined) test.run()
else console.log(`skip publish: ${noMinio}`)
