// Makes an Alpine repository of Debian's packages and stand-ins: signed packages, a signed index, Alpine's layout.
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { indexPackage, type PackageInfo, type SigningKey, writeApk, writeIndex } from '@zos/alpine/format'
import { type Blobs, DeltaBuilder, FileTree, sha256, type TreeRecord } from '@zos/core'
import { baseFiles, baseFolders, fromDebian, keptModules, leftOut, standIns } from './catalogue.js'
import { type DebianPackage, downloadDebs, readDebian } from './debian.js'

/** A folder that a mirror serves, and the public key of its index. */
export interface Repository {
  readonly folder: string
  readonly key: { readonly name: string; readonly pem: string }
}

const buildDate = 1_750_000_000

/** `1:9.2p1-2+deb12u7` → `9.2_p1-r0` and the like: what is left is a version of Alpine's kind. */
export const alpineVersion = (debian: string): string =>
  `${/^\d+(\.\d+)*/.exec(debian.replace(/^\d+:/, ''))?.[0] ?? '0'}-r0`

/** What differs from the file lists of Debian: what its installation scripts would do, or where Alpine has things. */
const adjusted: Readonly<Record<string, (tree: FileTree, blobs: Blobs) => Promise<FileTree>>> = {
  'ca-certificates': async (tree, blobs) => {
    const certificates = tree.glob('/usr/share/ca-certificates/**/*.crt')
    const texts = await Promise.all(certificates.map(async (one) => (one.kind === 'file' ? blobs.read(one.blob) : '')))
    return put(tree, blobs, {
      '/etc/ssl/certs/ca-certificates.crt': Buffer.concat(texts.map((text) => Buffer.from(text))),
    })
  },
  'openssh-server': async (tree, blobs) => {
    const text = await read(tree, '/usr/share/openssh/sshd_config', blobs)
    return put(tree, blobs, { '/etc/ssh/sshd_config': text.replace(/^UsePAM yes$/m, 'UsePAM no') })
  },
  'busybox-static': async (tree, blobs) => {
    const links = ['/bin/sh', '/bin/ash', ...applets.map((name) => `/bin/${name}`)]
    return put(tree, blobs, { '/etc/busybox-paths.d/busybox': `${links.join('\n')}\n` })
  },
  // Each needs a library that Debian only suggests, for hardware and protocols of another time.
  iproute2: async (tree) => tree.filter(({ path }) => !/\/(arpd|q_atm\.so)$/.test(path)),
  udev: async (tree) =>
    tree.apply(new DeltaBuilder().symlink('/sbin/udevd', '../bin/udevadm').build(), { plugin: 'test' }),
}

/** Programs of busybox that scripts of the image, and people, expect. */
const applets = [
  ...[
    'awk',
    'basename',
    'cat',
    'chgrp',
    'chmod',
    'chown',
    'cp',
    'cut',
    'date',
    'dd',
    'df',
    'dirname',
    'du',
    'echo',
    'env',
    'expr',
  ],
  ...[
    'false',
    'find',
    'free',
    'grep',
    'gunzip',
    'gzip',
    'head',
    'hostname',
    'id',
    'ln',
    'login',
    'ls',
    'mkdir',
    'mknod',
    'mktemp',
  ],
  ...[
    'mv',
    'printf',
    'pwd',
    'readlink',
    'realpath',
    'rm',
    'rmdir',
    'sed',
    'seq',
    'sleep',
    'sort',
    'stat',
    'stty',
    'su',
    'sync',
  ],
  ...[
    'tail',
    'tee',
    'test',
    'touch',
    'tr',
    'true',
    'tty',
    'uname',
    'uniq',
    'vi',
    'wc',
    'which',
    'whoami',
    'xargs',
    'yes',
  ],
]

const read = async (tree: FileTree, path: string, blobs: Blobs): Promise<string> => {
  const entry = tree.get(path)
  if (entry?.kind !== 'file') throw new Error(`${path} is not there`)
  return new TextDecoder().decode(await blobs.read(entry.blob))
}

const put = async (
  tree: FileTree,
  blobs: Blobs,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<FileTree> => {
  const delta = new DeltaBuilder({ over: 'any' })
  for (const [path, content] of Object.entries(files)) delta.file(path, await blobs.put(content))
  return tree.apply(delta.build(), { plugin: 'test' })
}

type Info = Omit<PackageInfo, 'size' | 'dataHash' | 'arch'>

class Maker {
  readonly #blobs: Blobs
  readonly #key: SigningKey
  readonly #folder: string

  constructor(blobs: Blobs, key: SigningKey, folder: string) {
    this.#blobs = blobs
    this.#key = key
    this.#folder = folder
  }

  async package(info: Info, records: Iterable<TreeRecord>): Promise<void> {
    const whole = { ...info, arch: 'x86_64', buildDate, origin: info.origin ?? info.name, license: 'see the package' }
    const bytes = await writeApk({ info: whole, records, key: this.#key, level: 1 }, this.#blobs)
    writeFileSync(join(this.#folder, `${info.name}-${info.version}.apk`), bytes)
  }

  /** A package of files that are written here. */
  async made(info: Info, files: Readonly<Record<string, string>>, folders: readonly string[] = []): Promise<void> {
    const delta = new DeltaBuilder()
    for (const path of folders) delta.directory(path)
    for (const [path, content] of Object.entries(files))
      delta.file(path, await this.#blobs.put(content), { mode: path === '/etc/shadow' ? 0o640 : 0o644 })
    await this.package(info, FileTree.empty.apply(delta.build(), { plugin: 'test' }).records())
  }

  async index(): Promise<void> {
    const files = readdirSync(this.#folder).filter((name) => name.endsWith('.apk'))
    const packages = []
    for (const name of files) packages.push(await indexPackage(readFileSync(join(this.#folder, name)), name))
    const index = await writeIndex(packages, this.#key, { description: 'made of Debian packages', epoch: buildDate })
    writeFileSync(join(this.#folder, 'APKINDEX.tar.gz'), index)
  }
}

/** Debian's packages under Alpine's names, each needing what it needs of the others. */
const convert = async (maker: Maker, packages: readonly DebianPackage[], blobs: Blobs): Promise<void> => {
  const renamed = new Map(
    Object.entries(fromDebian).flatMap(([alpine, [one, ...more]]) => (more.length > 0 ? [] : [[one!, alpine]])),
  )
  const nameOf = (debian: string): string => renamed.get(debian) ?? debian
  const present = new Map<string, string>()
  for (const { name, provides } of packages) for (const one of provides) present.set(one, nameOf(name))
  for (const { name } of packages) present.set(name, nameOf(name))
  for (const { name, version, description, depends, tree } of packages) {
    const needed = depends.flatMap((any) => any.flatMap((one) => present.get(one) ?? [])[0] ?? [])
    const info = { name: nameOf(name), version: alpineVersion(version), description: `${description} (of Debian)` }
    const files = (await adjusted[name]?.(tree, blobs)) ?? tree
    await maker.package(
      { ...info, depends: [...new Set(needed)].filter((one) => one !== info.name).sort() },
      files.records(),
    )
  }
  for (const [name, [, ...more]] of Object.entries(fromDebian)) {
    if (more.length === 0) continue
    await maker.made(
      { name, version: '1-r0', description: 'packages of Debian', depends: fromDebian[name]!.map(nameOf) },
      {},
    )
  }
}

const isKept = (path: string): boolean => {
  const [, file = ''] = /^\/lib\/modules\/[^/]+\/(?:.*\/)?([^/]+)$/.exec(path) ?? []
  return file.startsWith('modules.') || keptModules.has(file.replace(/\.ko.*$/, '').replaceAll('-', '_'))
}

/** Debian's kernel as Alpine lays one out, with the drivers that a test may need. */
const kernel = async (maker: Maker, { version, tree }: DebianPackage): Promise<void> => {
  const release = tree.list('/lib/modules')[0]!
  const image = tree.get(`/boot/vmlinuz-${release}`)
  const files = tree.filter(
    ({ path }) => isKept(path) || path === `/boot/config-${release}` || path === `/boot/System.map-${release}`,
  )
  if (image?.kind !== 'file') throw new Error(`no kernel image in linux ${version}`)
  const delta = new DeltaBuilder().file('/boot/vmlinuz-lts', image.blob, { mode: 0o644 })
  const info = {
    name: 'linux-lts',
    version: alpineVersion(version),
    description: 'Linux of Debian, with a part of its modules',
  }
  await maker.package(info, files.apply(delta.build(), { plugin: 'test' }).records())
}

const keyName = 'test@zos.example-0001.rsa.pub'

/**
 * The repository below `cache`, made anew only when its packages or this code changed. `cache` also keeps Debian's
 * packages. Throws where apt cannot reach them.
 */
export const makeRepository = async (cache: string, blobs: Blobs): Promise<Repository> => {
  const kernelPackage = 'linux-image-6.12-amd64'
  const debs = downloadDebs([...Object.values(fromDebian).flat(), kernelPackage], leftOut, join(cache, 'debs'))
  const code = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  const folder = join(cache, `mirror-${sha256(JSON.stringify([debs, code])).slice(0, 16)}`)
  const pem = (): string => readFileSync(join(folder, keyName), 'utf8')
  if (existsSync(folder)) return { folder, key: { name: keyName, pem: pem() } }

  const making = `${folder}.${process.pid}`
  const repository = join(making, 'v3.22/main/x86_64')
  mkdirSync(repository, { recursive: true })
  mkdirSync(join(making, 'v3.22/community/x86_64'), { recursive: true })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = {
    name: keyName,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    algorithm: 'RSA' as const,
  }
  writeFileSync(join(making, keyName), publicKey.export({ type: 'spki', format: 'pem' }))
  const maker = new Maker(blobs, key, repository)

  const packages: DebianPackage[] = []
  for (const deb of debs) packages.push(await readDebian(deb, blobs))
  const isKernel = ({ name }: DebianPackage): boolean => name.startsWith('linux-image-')
  await convert(
    maker,
    packages.filter((one) => !isKernel(one)),
    blobs,
  )
  for (const one of packages) if (isKernel(one) && one.tree.list('/lib/modules').length > 0) await kernel(maker, one)
  for (const [name, files] of Object.entries(standIns))
    await maker.made(
      { name, version: '1-r0', description: 'a stand-in', origin: name.replace(/^(linux-firmware)-.*/, '$1') },
      files,
    )
  const firmware = Object.keys(standIns).filter((name) => name.startsWith('linux-firmware-'))
  await maker.made({ name: 'linux-firmware', version: '1-r0', description: 'a stand-in', depends: firmware }, {})
  await maker.made(
    { name: 'alpine-baselayout', version: '3.7.0-r0', description: 'a stand-in' },
    baseFiles,
    baseFolders,
  )
  const pub = readFileSync(join(making, keyName), 'utf8')
  await maker.made(
    { name: 'alpine-keys', version: '2.5-r0', description: 'the key of this mirror' },
    { [`/etc/apk/keys/${keyName}`]: pub },
  )
  await maker.index()
  await new Maker(blobs, key, join(making, 'v3.22/community/x86_64')).index()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  renameSync(making, folder)
  return { folder, key: { name: keyName, pem: pub } }
}
