// time limit: 300 s
// Publishing to a real MinIO server and to a folder: what arrives, who may read it, what is signed, the index.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'minio'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noMinio, startMinio } from './minio.js'
import { makeProject, zosIn } from './publish-project.js'
import { bucket, startWorld, type World, writes } from './publish-world.js'
import type { Ended } from './zos.js'

let world: World
test.before(async () => {
  world = await startWorld()
})
test.after(() => world.end())

const filesBelow = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

test('kernel, flist, signatures and index arrive; the second time all of it was there', async () => {
  const first = await world.publish()
  assert.is(first.end, 0, first.stdout + first.stderr)
  assert.equal(await world.objects(), [
    'pub/kernel/kernels.json',
    'pub/kernel/kernels.txt',
    'pub/kernel/vmlinuz-6.12.1-test.efi',
    'pub/kernel/vmlinuz-6.12.1-test.efi.manifest',
    'pub/manifests/modules-6.12.1-test.fl',
    'pub/manifests/modules-6.12.1-test.fl.manifest',
  ])
  assert.equal(await world.expectWholeIndex(), ['vmlinuz-6.12.1-test.efi'])
  const second = await world.publish()
  assert.match(second.stdout, /vmlinuz-6\.12\.1-test\.efi {2}\(was there, signed\)/)
})

test('a build without a file of keys works, and says what is missing when it publishes', async () => {
  rmSync(join(world.place, 'config/rfs.conf'))
  assert.is((await zosIn(world.place, ['build'])).end, 0)
  const ended = await world.publish()
  world.writeConf({})
  assert.match(ended.stderr, /S3_SETTINGS .*\n {2}not set: S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY/)
})

test('variables switch targets: none, one, and never against the word', async () => {
  await world.minio.client.removeObject(bucket, 'pub/manifests/modules-6.12.1-test.fl')
  const env = { PUBLISH_KEY: world.privateKey }
  const none = await zosIn(world.place, ['build', '--json'], { ...env, UPLOAD_KERNEL: 'false' })
  assert.equal(JSON.parse(none.stdout.trimEnd().split('\n').at(-1)!).receipts, [])
  const one = await zosIn(world.place, ['build', '--json'], { ...env, UPLOAD_KERNEL: '1' })
  const { receipts } = JSON.parse(one.stdout.trimEnd().split('\n').at(-1)!)
  assert.equal(
    receipts.map(({ output }: { output: string }) => output),
    ['vmlinuz.efi'],
  )
  assert.not.ok((await world.objects()).includes('pub/manifests/modules-6.12.1-test.fl'))
  const other = await world.publish({
    UPLOAD_KERNEL: 'false',
    KERNEL_SUBPATH: 'elsewhere',
    MANIFESTS_SUBPATH: 'flists',
  })
  assert.is(other.end, 0, other.stderr)
  assert.ok((await world.objects()).includes('pub/flists/modules-6.12.1-test.fl'))
  assert.not.ok((await world.objects()).some((name) => name.includes('elsewhere')))
  assert.match((await world.publish({ UPLOAD_KERNEL: 'maybe' })).stderr, /ENV_BOOLEAN/)
  const unwanted = await world.publish({ UPLOAD_KERNEL: 'false', UPLOAD_MANIFESTS: 'false' })
  assert.is(unwanted.end, 0, none.stderr)
  assert.match(
    unwanted.stdout,
    /nothing was published: every target is switched off by UPLOAD_MANIFESTS, UPLOAD_KERNEL/,
  )
  world.writeConf({ UPLOAD_KERNEL: 'false' })
  const off = await world.publish()
  world.writeConf({})
  assert.is(off.end, 0, off.stderr)
  assert.match(off.stdout, /warning PUBLISH_OFF \[s3\] kernels are switched off in config\/rfs\.conf/)
  assert.not.match(off.stdout, /vmlinuz-6.*signed/)
})

test('without the key that signs nothing is sent', async () => {
  world.expectError(await world.publish({ PUBLISH_KEY: '', S3_PREFIX: 'pub/unsigned' }), 'SECRET_MISSING')
  assert.equal(
    (await world.objects()).filter((name) => name.includes('unsigned')),
    [],
  )
})

test('the user that reads can read, and nothing else', async () => {
  const client = new Client({
    endPoint: '127.0.0.1',
    port: world.minio.port,
    useSSL: false,
    region: 'us-east-1',
    ...world.reader,
  })
  const key = 'pub/kernel/kernels.txt'
  assert.is(await world.textOf(key, client), 'vmlinuz-6.12.1-test.efi\n')
  const denied = async (work: Promise<unknown>): Promise<void> => {
    await work.then(
      () => assert.unreachable('expected AccessDenied'),
      (error) => assert.is(error.code, 'AccessDenied', String(error)),
    )
  }
  await denied(client.putObject(bucket, 'pub/kernel/x.efi', 'x'))
  await denied(client.removeObject(bucket, key))
  await denied(client.listObjectsV2Query(bucket, 'pub/', '', '', 10, ''))
  await world.minio.client.putObject(bucket, 'private/x', 'x')
  await denied(client.getObject(bucket, 'private/x'))
  await world.minio.client.removeObject(bucket, 'private/x')
})

test('zos verify: right, changed, renamed, expired, of another key', async () => {
  const url = `s3://${world.reader.accessKey}:${world.reader.secretKey}@127.0.0.1:${world.minio.port}/${bucket}/pub`
  const verify = (target: string, key = 'publish.pub'): Promise<Ended> =>
    zosIn(world.place, ['verify', '--key', key, target])
  const right = await verify(`${url}/kernel/vmlinuz-6.12.1-test.efi`)
  assert.is(right.end, 0, right.stderr)
  assert.match(right.stdout, /^ok s3:\/\/127\.0\.0\.1:\d+\/images\/pub\/kernel\/vmlinuz-6\.12\.1-test\.efi\n$/)

  const name = 'vmlinuz-6.12.1-test.efi'
  const copy = join(world.place, name)
  cpSync(join(world.place, 'dist', name), copy)
  writeFileSync(`${copy}.manifest`, await world.textOf(`pub/kernel/${name}.manifest`))
  assert.is((await verify(copy)).end, 0)
  cpSync(copy, join(world.place, 'other.efi'))
  cpSync(`${copy}.manifest`, join(world.place, 'other.efi.manifest'))
  assert.match((await verify('other.efi')).stderr, /VERIFY_FAILED.*\n.*its manifest is for vmlinuz-6/)
  const bytes = readFileSync(copy)
  bytes[5] = bytes[5]! ^ 1
  writeFileSync(copy, bytes)
  assert.match((await verify(name)).stderr, /its content is not what was signed/)
  writeFileSync(copy, bytes.subarray(1))
  assert.match((await verify(name)).stderr, /bytes; \d+ were signed/)
  writeFileSync(`${copy}.manifest`, (await world.textOf(`pub/kernel/${name}.manifest`)).replace('size ', 'size 1'))
  assert.match((await verify(name)).stderr, /MANIFEST_SIGNATURE/)
})

test('two publishers at once: the index has the kernels of both', async () => {
  const other = join(world.folder, 'other')
  cpSync(world.place, other, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.zos') })
  const env = { PUBLISH_KEY: world.privateKey }
  const both = await Promise.all([
    zosIn(world.place, ['publish'], { ...env, RELEASE: '6.12.6-left' }),
    zosIn(other, ['publish'], { ...env, RELEASE: '6.12.6-right' }),
  ])
  for (const { end, stderr } of both) assert.is(end, 0, stderr)
  const kernels = await world.expectWholeIndex()
  assert.equal(kernels.slice(0, 2).sort(), ['vmlinuz-6.12.6-left.efi', 'vmlinuz-6.12.6-right.efi'])
})

test('zos index makes the index anew, and removes old kernels only when it is told to', async () => {
  const before = await world.expectWholeIndex()
  await world.minio.client.removeObject(bucket, 'pub/kernel/kernels.json')
  await world.minio.client.putObject(bucket, 'pub/kernel/kernels.txt', 'vmlinuz-of-nobody.efi\n')
  const made = await zosIn(world.place, ['index'])
  assert.is(made.end, 0, made.stderr)
  assert.equal(await world.expectWholeIndex(), before)
  const pruned = await zosIn(world.place, ['index', '--keep', '2', '--json'])
  assert.equal(JSON.parse(pruned.stdout).removed, before.slice(2))
  assert.equal(await world.expectWholeIndex(), before.slice(0, 2))
  const manifests = (await world.objects()).filter((name) => /kernel\/.*\.manifest$/.test(name))
  assert.is(manifests.length, 2)
})

test('no key of the user that writes is anywhere but in its file', async () => {
  const places = [join(world.place, 'dist'), join(world.place, '.zos'), join(world.folder, 'data', bucket)]
  const secrets = [world.writer.accessKey, world.writer.secretKey, world.privateKey.split('\n')[1]!]
  for (const file of [...places.flatMap(filesBelow), join(world.place, 'zos.lock')])
    for (const secret of secrets) assert.not.ok(readFileSync(file).includes(secret), `${file} holds a key`)
})

test('over HTTPS with a certificate of ones own', async () => {
  const certs = join(world.folder, 'certs')
  mkdirSync(certs)
  const names = ['-subj', '/CN=zos', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', join(certs, 'private.key'), '-out', join(certs, 'public.crt')]
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2', ...names, ...files])
  const secure = await startMinio(join(world.folder, 'secure'), certs)
  try {
    await secure.client.makeBucket(bucket, 'us-east-1')
    const keys = await secure.user('writer', writes)
    const env = { S3_ENDPOINT: secure.endpoint, S3_ACCESS_KEY: keys.accessKey, S3_SECRET_KEY: keys.secretKey }
    const refused = await world.publish(env)
    world.expectError(refused, 'OBJECTS_UNREACHABLE')
    assert.match(refused.stderr, /its certificate is not trusted.*\n.*NODE_EXTRA_CA_CERTS/)
    const ended = await world.publish({ ...env, NODE_EXTRA_CA_CERTS: join(certs, 'public.crt') })
    assert.is(ended.end, 0, ended.stderr)
    assert.match(ended.stdout, / s3s:\/\/127\.0\.0\.1:\d+\/images\/pub\/kernel\/vmlinuz-6\.12\.1-test\.efi/)
  } finally {
    await secure.kill()
  }
})

test('a folder takes the same: files, signatures, index', async () => {
  const local = join(world.folder, 'local')
  makeProject(local, 'folder', "{ path: 'out', sign: { key: secret('PUBLISH_KEY') } }")
  const ended = await zosIn(local, ['publish'], { PUBLISH_KEY: world.privateKey })
  assert.is(ended.end, 0, ended.stderr)
  assert.is(readFileSync(join(local, 'out/kernel/kernels.txt'), 'utf8'), 'vmlinuz-6.12.1-test.efi\n')
  assert.ok(existsSync(join(local, 'out/manifests/modules-6.12.1-test.fl.manifest')))
  const key = join(world.place, 'publish.pub')
  const verified = await zosIn(local, ['verify', '--key', key, 'out/kernel/vmlinuz-6.12.1-test.efi'])
  assert.is(verified.end, 0, verified.stderr)
})

if (noMinio === undefined) test.run()
else console.log(`skip publish: ${noMinio}`)
