// time limit: 300 s
// Publishing to a server that dies, fills up, answers with errors and is hard to reach: an error, and a rerun that finishes.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noMinio, startMinio } from './minio.js'
import { zosIn } from './publish-project.js'
import { bucket, startWorld, type World, writes } from './publish-world.js'
import { type OnBytes, spoiledWay } from './spoiled-way.js'

let world: World
test.before(async () => {
  world = await startWorld()
})
test.after(() => world.end())

test('wrong keys, no bucket, a wrong clock: each says so; then a run finishes', async () => {
  world.writeConf({ S3_SECRET_KEY: `${world.writer.secretKey}x` })
  const env = { RELEASE: '6.12.2-test' }
  world.expectError(await world.publish(env), 'OBJECTS_CREDENTIALS')
  const anywhere = await world.minio.user('anywhere', [
    { Effect: 'Allow', Action: ['s3:*'], Resource: ['arn:aws:s3:::*'] },
  ])
  world.writeConf({ S3_BUCKET: 'nowhere', S3_ACCESS_KEY: anywhere.accessKey, S3_SECRET_KEY: anywhere.secretKey })
  world.expectError(await world.publish(env), 'OBJECTS_BUCKET')
  world.writeConf({ S3_ACCESS_KEY: world.reader.accessKey, S3_SECRET_KEY: world.reader.secretKey })
  world.expectError(await world.publish(env), 'OBJECTS_DENIED')
  world.writeConf({})
  const clock = join(world.folder, 'clock.mjs')
  writeFileSync(
    clock,
    'const Real = Date; globalThis.Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Real.now() - 3600e3) } static now() { return Real.now() - 3600e3 } }\n',
  )
  world.expectError(await world.publish({ ...env, NODE_OPTIONS: `--import ${clock}` }), 'OBJECTS_CLOCK')
  assert.is((await world.publish(env)).end, 0)
  assert.equal(await world.expectWholeIndex(), ['vmlinuz-6.12.2-test.efi'])
})

const spoiled = (onBytes: OnBytes, work: (endpoint: string) => Promise<void>): Promise<void> =>
  spoiledWay(world.minio.port, onBytes, (port) => work(`http://127.0.0.1:${port}`))

test('a cut connection and answers of 500 are tried again', async () => {
  let cuts = 0
  const cut = (up: Socket, total: number): void => {
    if (total < (1 << 20) * (cuts + 1) || cuts === 2) return
    cuts++
    up.destroy()
  }
  await spoiled(cut, async (S3_ENDPOINT) => {
    const ended = await world.publish({ RELEASE: '6.12.3-test', S3_ENDPOINT })
    assert.is(ended.end, 0, ended.stdout + ended.stderr)
  })
  assert.is(cuts, 2)
  let fails = 0
  await spoiled(
    (_up, _total, fail) => {
      if (fails++ < 2) fail(500)
    },
    async (S3_ENDPOINT) => {
      const ended = await world.publish({ RELEASE: '6.12.4-test', S3_ENDPOINT })
      assert.is(ended.end, 0, ended.stdout + ended.stderr)
    },
  )
  assert.ok(fails > 2)
  assert.is((await world.expectWholeIndex()).length, 3)
  await spoiled(
    (_up, _total, fail) => fail(503),
    async (S3_ENDPOINT) =>
      world.expectError(await world.publish({ RELEASE: '6.12.5-test', S3_ENDPOINT }), 'OBJECTS_SERVER'),
  )
  assert.is((await world.expectWholeIndex()).length, 3)
})

test('a slow connection takes its time, and arrives', async () => {
  const slow = (up: Socket): void => {
    up.pause()
    setTimeout(() => up.resume(), 20)
  }
  await spoiled(slow, async (S3_ENDPOINT) => {
    const ended = await world.publish({ RELEASE: '6.12.4-slow', S3_ENDPOINT })
    assert.is(ended.end, 0, ended.stdout + ended.stderr)
  })
  await world.minio.client.removeObject(bucket, 'pub/kernel/vmlinuz-6.12.4-slow.efi')
  assert.is((await zosIn(world.place, ['index'])).end, 0)
  assert.is((await world.expectWholeIndex()).length, 3)
})

test('Ctrl-C in the middle of an upload ends it, and leaves nothing half published', async () => {
  let interrupted = false
  const stopped = new AbortController()
  const stop = (_up: Socket, total: number): void => {
    if (total > 1 << 20 && !interrupted) {
      interrupted = true
      stopped.abort()
    }
  }
  await spoiled(stop, async (S3_ENDPOINT) => {
    const ended = await world.publish({ RELEASE: '6.12.4-stopped', S3_ENDPOINT }, ['--json'], stopped.signal)
    assert.is(ended.end, 130, ended.stdout + ended.stderr)
  })
  assert.ok(interrupted)
  assert.is((await world.expectWholeIndex()).length, 3)
})

test('a server killed in the middle of an upload: an error; a rerun finishes, and nothing was half published', async () => {
  let killed: Promise<void> | undefined
  const kill = (_up: Socket, total: number): void => {
    if (total > 1 << 20) killed ??= world.minio.kill()
  }
  await spoiled(kill, async (S3_ENDPOINT) => {
    world.expectError(await world.publish({ RELEASE: '6.12.5-test', S3_ENDPOINT }), 'OBJECTS_UNREACHABLE')
  })
  await killed
  await world.minio.start()
  assert.is((await world.expectWholeIndex()).length, 3)
  assert.not.ok((await world.objects()).includes('pub/kernel/vmlinuz-6.12.5-test.efi'))
  const again = await world.publish({ RELEASE: '6.12.5-test' })
  assert.is(again.end, 0, again.stderr)
  assert.is((await world.expectWholeIndex())[0], 'vmlinuz-6.12.5-test.efi')
})

test('a full disk on the server: an error; a rerun finishes once there is room', async () => {
  const small = join(world.folder, 'small')
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
    world.expectError(await world.publish(env), 'OBJECTS_FULL')
    rmSync(join(small, 'ballast'))
    // The server looks at its disk now and then, and empties its own trash in its own time.
    let again = await world.publish(env)
    for (const end = performance.now() + 30_000; again.end !== 0 && performance.now() < end; ) {
      world.expectError(again, 'OBJECTS_FULL')
      await sleep(500)
      again = await world.publish(env)
    }
    assert.is(again.end, 0, again.stderr)
  } finally {
    await full.kill()
    spawnSync('umount', [small])
  }
})

if (noMinio === undefined) test.run()
else console.log(`skip publish-faults: ${noMinio}`)
