import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import type { Blobs } from '../dist/model/blobs.js'
import type { Blob, TreeRecord } from '../dist/model/entry.js'

/** Blobs in memory; counts what is put at the same time. */
export class MemoryBlobs implements Blobs {
  readonly byDigest = new Map<string, Uint8Array>()
  mostAtOnce = 0
  #now = 0

  async put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#now)
    const bytes =
      typeof content === 'string'
        ? Buffer.from(content)
        : content instanceof Uint8Array
          ? Buffer.from(content)
          : await collect(content)
    await new Promise((resolve) => setImmediate(resolve))
    this.#now -= 1
    return this.add(bytes)
  }

  add(content: string | Uint8Array): Blob {
    const bytes = Buffer.from(content as Uint8Array)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    this.byDigest.set(sha256, bytes)
    return { sha256, size: bytes.length }
  }

  async read(blob: Blob): Promise<Uint8Array> {
    const bytes = this.byDigest.get(blob.sha256)
    if (!bytes) throw new Error(`no blob ${blob.sha256}`)
    return bytes
  }

  async *stream(blob: Blob): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(blob)
    for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
  }

  text(blob: Blob): string {
    return Buffer.from(this.byDigest.get(blob.sha256) ?? []).toString()
  }
}

export const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** Bytes as a stream of chunks of one size. */
export async function* chunked(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Runs a tool in the C locale; a failure shows what it printed. */
export const run = (
  file: string,
  args: string[],
  options: { cwd?: string; input?: string | Uint8Array } = {},
): Buffer => {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const { status, stdout, stderr, error } = spawnSync(file, args, { ...options, env, maxBuffer: 1024 ** 3 })
  if (error) throw error
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${status}: ${stderr}`)
  return stdout
}

export const hasTool = (file: string): boolean => !spawnSync(file, ['--version']).error

export const scratch = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'zos-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Asserts that a promise fails with a ZosError of this code whose message matches. */
export const fails = async (code: string, message: RegExp, task: () => Promise<unknown>): Promise<void> => {
  let thrown: unknown
  try {
    await task()
  } catch (error) {
    thrown = error
  }
  if (!isZosError(thrown)) throw thrown ?? new Error(`nothing was thrown, expected ${code}`)
  assert.is(thrown.code, code, thrown.message)
  assert.match(thrown.message, message)
}

export const byPath = (records: readonly TreeRecord[]): TreeRecord[] =>
  [...records].sort((a, b) => (a.path < b.path ? -1 : 1))

/** A record by path, of the kind that is expected. */
export const at = <Kind extends TreeRecord['kind']>(
  records: readonly TreeRecord[],
  path: string,
  kind: Kind,
): TreeRecord & { kind: Kind } => {
  const record = records.find((one) => one.path === path)
  if (record?.kind !== kind) throw new Error(`${path} is ${record?.kind}, expected ${kind}`)
  return record as TreeRecord & { kind: Kind }
}

/** One record of every kind, with hard links, xattrs, long and non-ASCII names. */
export const sampleRecords = (blobs: MemoryBlobs): TreeRecord[] => {
  const owner = { uid: 0, gid: 0 }
  const tool = blobs.add('#!/bin/sh\necho hi\n')
  const deep = `/usr/share/${'d'.repeat(120)}`
  return [
    { path: '/dev', kind: 'directory', mode: 0o755, ...owner },
    { path: '/dev/console', kind: 'character', mode: 0o600, ...owner, major: 5, minor: 1 },
    { path: '/dev/pipe', kind: 'fifo', mode: 0o644, ...owner },
    { path: '/dev/vda300', kind: 'block', mode: 0o660, uid: 0, gid: 6, major: 259, minor: 70000 },
    { path: '/home', kind: 'directory', mode: 0o755, ...owner },
    { path: '/home/grüße-日本.txt', kind: 'file', mode: 0o640, uid: 1000, gid: 100, blob: blobs.add('päckchen') },
    { path: '/sbin', kind: 'symlink', mode: 0o777, ...owner, target: 'usr/sbin' },
    { path: '/tmp', kind: 'directory', mode: 0o1777, ...owner },
    { path: '/usr', kind: 'directory', mode: 0o755, ...owner },
    { path: '/usr/bin', kind: 'directory', mode: 0o755, ...owner },
    { path: '/usr/bin/a', kind: 'file', mode: 0o4755, ...owner, blob: tool, link: '/usr/bin/a' },
    { path: '/usr/bin/b', kind: 'file', mode: 0o4755, ...owner, blob: tool, link: '/usr/bin/a' },
    { path: '/usr/bin/big', kind: 'file', mode: 0o644, ...owner, blob: blobs.add(Buffer.alloc(1_300_000, 'zos ')) },
    { path: '/usr/bin/c', kind: 'file', mode: 0o4755, ...owner, blob: tool, link: '/usr/bin/a' },
    { path: '/usr/bin/empty', kind: 'file', mode: 0o644, uid: 3_000_000_000, gid: 65534, blob: blobs.add('') },
    { path: '/usr/share', kind: 'directory', mode: 0o755, ...owner },
    { path: deep, kind: 'directory', mode: 0o755, ...owner },
    { path: `${deep}/${'n'.repeat(90)}`, kind: 'file', mode: 0o644, ...owner, blob: blobs.add('split name') },
    { path: `${deep}/${'n'.repeat(200)}`, kind: 'file', mode: 0o644, ...owner, blob: blobs.add('pax name') },
    { path: '/usr/share/long', kind: 'symlink', mode: 0o777, ...owner, target: `../${'t/'.repeat(150)}end` },
  ]
}
