// Small packages that are made here, signed by a key that is made here.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  indexPackage,
  type PackageInfo,
  type ScriptName,
  type SigningKey,
  writeApk,
  writeIndex,
} from '@zos/alpine/format'
import { FileTree, type TreeRecord } from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'
import type { Repository } from './repository.js'

/** Both halves in PEM. */
export type KeyPair = SigningKey & { readonly publicKey: string }

export const makeKey = (): KeyPair => {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { name: 'test@example.org-5e1d0000.rsa.pub', ...pair }
}

/** A signed package of text files and of programs (bytes), for x86_64 where `info` says nothing else. */
export const makeApk = async (
  key: SigningKey,
  info: Partial<PackageInfo> & Pick<PackageInfo, 'name' | 'version'>,
  files: Readonly<Record<string, string | Uint8Array>>,
  scripts: Readonly<Partial<Record<ScriptName, string>>> = {},
): Promise<Uint8Array> => {
  const blobs = new MemoryBlobs()
  const records: TreeRecord[] = []
  for (const [path, content] of Object.entries(files)) {
    const mode = typeof content === 'string' ? 0o644 : 0o755
    records.push({ path, kind: 'file', mode, uid: 0, gid: 0, blob: await blobs.put(content) })
  }
  const whole = { arch: 'x86_64', description: `${info.name} of a test`, license: 'MIT', ...info }
  return writeApk({ info: whole, records: FileTree.from(records).records(), scripts, key }, blobs)
}

/** The signed index of packages by file name. */
export const makeIndex = async (packages: Readonly<Record<string, Uint8Array>>, key: SigningKey): Promise<Uint8Array> =>
  writeIndex(await Promise.all(Object.entries(packages).map(([name, bytes]) => indexPackage(bytes, name))), key)

/** A mirror whose `main` has a package of one file for each name, and whose `community` is empty: for what asks only for names. */
export const makeStandIns = async (folder: string, arch: string, names: Iterable<string>): Promise<Repository> => {
  const key = makeKey()
  const packages: Record<string, Uint8Array> = {}
  for (const name of names) {
    const info = { name, version: '1-r0', arch, description: 'a stand-in', origin: name }
    packages[`${name}-1-r0.apk`] = await makeApk(key, info, { [`/usr/share/stand-in/${name}`]: 'a stand-in\n' })
  }
  for (const [repository, own] of [['main', packages] as const, ['community', {}] as const]) {
    const place = join(folder, 'v3.22', repository, arch)
    mkdirSync(place, { recursive: true })
    for (const [name, bytes] of Object.entries(own)) writeFileSync(join(place, name), bytes)
    writeFileSync(join(place, 'APKINDEX.tar.gz'), await makeIndex(own, key))
  }
  return { folder, key: { name: key.name, pem: key.publicKey } }
}
