// A MinIO server with a user that writes and one that reads, and a project that publishes there.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'minio'
import * as assert from 'uvu/assert'
import { type Keys, type Minio, startMinio } from './minio.js'
import { kernelSize, makeProject, zosIn } from './publish-project.js'
import type { Ended } from './zos.js'

export const bucket = 'images'
const arn = 'arn:aws:s3:::images'
/** What a user needs that writes below `pub/`; docs/publishing.md says the same. */
export const writes = [
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], Resource: [`${arn}/pub/*`] },
  {
    Effect: 'Allow',
    Action: ['s3:ListBucket'],
    Resource: [arn],
    Condition: { StringLike: { 's3:prefix': ['pub/*'] } },
  },
]
const reads = [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`${arn}/pub/*`] }]

export interface World {
  /** Removed at the end. */
  readonly folder: string
  /** The project. */
  readonly place: string
  readonly minio: Minio
  readonly writer: Keys
  readonly reader: Keys
  /** That signs, as PEM; its public half is `publish.pub` in the project. */
  readonly privateKey: string
  /** Writes the classic file of keys, with what a test wants to be otherwise. */
  writeConf(other: Readonly<Record<string, string>>): void
  publish(env?: Readonly<Record<string, string>>, words?: readonly string[], signal?: AbortSignal): Promise<Ended>
  /** A run that has to fail with this error, a hint, and no key in what it says. */
  expectError(ended: Ended, code: string): void
  /** Keys of the bucket, sorted. */
  objects(): Promise<string[]>
  textOf(name: string, client?: Client): Promise<string>
  /** Every kernel of the index is there whole, and every kernel that is there is in the index. */
  expectWholeIndex(): Promise<string[]>
  end(): Promise<void>
}

const openssl = (...args: string[]): string => spawnSync('openssl', args, { encoding: 'utf8' }).stdout

export const startWorld = async (): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-publish-'))
  const place = join(folder, 'project')
  const minio = await startMinio(join(folder, 'data'))
  await minio.client.makeBucket(bucket, 'us-east-1')
  const writer = await minio.user('writer', writes)
  const reader = await minio.user('reader', reads)
  const privateKey = openssl('genpkey', '-algorithm', 'ed25519')
  makeProject(place, 's3', "{ config: 'config/rfs.conf', sign: { key: secret('PUBLISH_KEY') } }")
  writeFileSync(join(folder, 'publish.key'), privateKey)
  writeFileSync(join(place, 'publish.pub'), openssl('pkey', '-in', join(folder, 'publish.key'), '-pubout'))

  const writeConf: World['writeConf'] = (other) => {
    const keys = {
      ...{ S3_ENDPOINT: minio.endpoint, S3_REGION: 'us-east-1', S3_BUCKET: bucket, S3_PREFIX: 'pub' },
      ...{ S3_ACCESS_KEY: writer.accessKey, S3_SECRET_KEY: writer.secretKey },
      ...other,
    }
    const text = Object.entries(keys).map(([key, value]) => `${key}="${value}"\n`)
    writeFileSync(join(place, 'config/rfs.conf'), text.join(''))
  }
  writeConf({})

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
  return {
    ...{ folder, place, minio, writer, reader, privateKey, writeConf, objects, textOf },
    publish: (env = {}, words = [], signal = undefined) =>
      zosIn(place, ['publish', ...words], { PUBLISH_KEY: privateKey, ...env }, signal),
    expectError: ({ end, stdout, stderr }, code) => {
      assert.is.not(end, 0, stdout)
      assert.match(stderr, new RegExp(`^error ${code}`, 'm'), stdout)
      assert.match(stderr, /^ {2}hint: /m)
      for (const key of [writer.accessKey, writer.secretKey]) assert.not.ok((stdout + stderr).includes(key), stderr)
    },
    expectWholeIndex: async () => {
      const kernels = (await objects()).filter((name) => name.endsWith('.efi'))
      const { kernels: listed, count } = JSON.parse(await textOf('pub/kernel/kernels.json'))
      assert.is(count, listed.length)
      assert.equal(listed.map((name: string) => `pub/kernel/${name}`).sort(), kernels)
      assert.is(await textOf('pub/kernel/kernels.txt'), listed.map((name: string) => `${name}\n`).join(''))
      for (const name of kernels) assert.ok((await minio.client.statObject(bucket, name)).size >= kernelSize, name)
      return listed
    },
    end: async () => {
      await minio.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
