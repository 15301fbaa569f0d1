// A node whose modules and firmware lie behind flists in a MinIO server, booted: what is in the image and what is not is
// loaded. RFS_PROGRAM=PATH takes that rfs program in place of the stand-in, which reads flists by code of its own.
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Keys, type Minio, noMinio, startMinio } from './minio.js'
import { project, start, storeOf } from './zos.js'

const bucket = 'node'
const arn = `arn:aws:s3:::${bucket}`
const folder = mkdtempSync(join(tmpdir(), 'zos-flist-node-'))
const place = join(folder, 'project')
const cli = join(project, 'core/dist/cli/main.js')
/** Seconds: what is compiled or fetched anew, a boot, anything else. */
const limits = { build: 1800, boot: 240, command: 90 }

let minio: Minio
let writer: Keys
let reader: Keys
let server: Server | undefined
let signing = ''

/** The program that mounts: the one that is named, else the stand-in, compiled once for the checkout. */
const mountProgram = async (): Promise<string> => {
  if (process.env.RFS_PROGRAM) return process.env.RFS_PROGRAM
  const target = 'x86_64-unknown-linux-gnu'
  const built = join(storeOf(project), 'test-flist-mount')
  const env = { CARGO_TARGET_DIR: built, RUSTFLAGS: '-C target-feature=+crt-static' }
  const words = ['build', '--release', '--locked', '--quiet', '--target', target]
  const crate = join(project, 'test/flist-node/mount')
  const { end, stderr } = await start('cargo', words, crate, limits.build, env).ended
  assert.is(end, 0, stderr)
  return join(built, target, 'release/flist-mount')
}

const openssl = (...words: string[]): string => spawnSync('openssl', words, { encoding: 'utf8' }).stdout

/** Serves what `answers` has by path; other paths are missing. */
const serve = (answers: ReadonlyMap<string, Buffer>): Promise<string> =>
  new Promise((resolve) => {
    server = createServer((request, response) => {
      const found = answers.get(request.url ?? '')
      response.writeHead(found ? 200 : 404).end(found)
    })
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://10.0.2.2:${(server?.address() as AddressInfo | undefined)?.port}`),
    )
  })

let isPublished = false
const answers = new Map<string, Buffer>()
const contents = { image: randomBytes(1000), flist: randomBytes(1_200_000) }
/**
 * What the driver e100 takes for firmware: 134 words, which QEMU's card ignores, and the places of three settings in them.
 * A card of revision 0x0f does not come up without its file, one of 0x09 asks for another.
 */
const microcode = Buffer.concat([randomBytes(134 * 4), Buffer.from([1, 2, 3])])
const cards = ['-device', 'i82551,romfile=', '-device', 'i82559er,romfile=']

/** Comes before all other folders of programs. */
const programs = join(folder, 'bin')

const whereIs = (tool: string): string =>
  spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()

/** A machine with the cards has a kernel for all hardware. */
const prepare = async (hasCards: boolean): Promise<void> => {
  minio = await startMinio(join(folder, 'data'))
  await minio.client.makeBucket(bucket, 'us-east-1')
  writer = await minio.user('writer', [
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: [`${arn}/pub/*`] },
    { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [arn] },
  ])
  reader = await minio.user('reader', [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`${arn}/pub/*`] }])
  cpSync(join(project, 'test/flist-node'), place, { recursive: true, filter: (path) => !path.endsWith('/mount') })
  const at = (path: string): string => join(place, path)
  const quickstart = 'config/quickstart'
  cpSync(join(project, quickstart), at(quickstart), { recursive: true })
  for (const path of ['dhcp.yaml', 'network.yaml', 'init/dhcp.sh', 'init/network.sh', 'init/udhcpc.sh'])
    copyFileSync(join(project, quickstart, 'zinit', path), at(`zinit/${path}`))
  if (hasCards) {
    const config = readFileSync(at('zos.config.ts'), 'utf8')
    writeFileSync(at('zos.config.ts'), config.replace('linux-image-6.12-cloud-amd64', 'linux-image-6.12-amd64'))
    mkdirSync(programs)
    const script = `#!/bin/sh\nexec ${whereIs('qemu-system-x86_64')} "$@" ${cards.join(' ')}\n`
    writeFileSync(join(programs, 'qemu-system-x86_64'), script, { mode: 0o755 })
  }
  symlinkSync(join(project, 'node_modules'), at('node_modules'))
  writeFileSync(at('package.json'), '{ "type": "module" }\n')
  copyFileSync(await mountProgram(), at('rfs'))
  for (const origin of ['packages/lib/firmware', 'image/lib/firmware', 'firmware'])
    for (const vendor of ['acme', 'e100']) mkdirSync(at(`${origin}/${vendor}`), { recursive: true })
  writeFileSync(at('firmware/acme/flist.bin'), contents.flist)
  writeFileSync(at('firmware/e100/d102e_ucode.bin'), microcode)
  writeFileSync(at('packages/lib/firmware/acme/other.bin'), contents.flist)
  writeFileSync(at('image/lib/firmware/acme/image.bin'), contents.image)
  writeFileSync(at('image/lib/firmware/e100/d101s_ucode.bin'), microcode)
  writeFileSync(at('server'), await serve(answers))
  signing = openssl('genpkey', '-algorithm', 'ed25519')
  writeFileSync(join(folder, 'publish.key'), signing)
  writeFileSync(at('publish.pub'), openssl('pkey', '-in', join(folder, 'publish.key'), '-pubout'))
  const conf = {
    ...{ S3_ENDPOINT: minio.endpoint, S3_BUCKET: bucket, S3_PREFIX: 'pub' },
    ...{ S3_ACCESS_KEY: writer.accessKey, S3_SECRET_KEY: writer.secretKey },
    ...{ READ_ACCESS_KEY: reader.accessKey, READ_SECRET_KEY: reader.secretKey },
    ...{ ROUTE_ENDPOINT: `http://localhost:${minio.port}`, ROUTE_PATH: `/${bucket}/pub`, ROUTE_REGION: 'us-east-1' },
  }
  mkdirSync(at('config'), { recursive: true })
  const lines = Object.entries(conf).map(([key, value]) => `${key}="${value}"\n`)
  writeFileSync(at('config/rfs.conf'), lines.join(''))
}

test.after(async () => {
  server?.close()
  await minio?.kill()
  rmSync(folder, { recursive: true, force: true })
})

const zos = (words: readonly string[], limit: number, more: Readonly<Record<string, string>> = {}) => {
  const env = { ZOS_STORE: storeOf(project), PUBLISH_KEY: signing, ...more }
  return start(process.execPath, [cli, ...words], place, limit, env).ended
}

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** `where path` of every module, as the report of the build has it. */
const splitOf = (name: string): string =>
  readFileSync(join(place, 'dist/flists/split.txt'), 'utf8').match(
    new RegExp(`^ +(\\S+) +\\S*/${name}\\.ko`, 'm'),
  )?.[1] ?? 'not listed'

/** What the console said. */
let said = ''
const expectLine = (text: string): void => assert.ok(said.includes(text), `${text} is not in\n${said}`)

/** Runs the tests. `hasCards`: with Debian's whole kernel, whose drivers ask for firmware. */
export const testNode = (hasCards: boolean): void => {
  test('the image is built, and its flists are published to the server', async () => {
    await prepare(hasCards)
    const built = await zos(['build'], limits.build)
    assert.is(built.end, 0, built.stdout + built.stderr)
    assert.equal(['overlay', 'vfat', 'msdos'].map(splitOf), ['initramfs', 'initramfs', 'flist'])
    const split = readFileSync(join(place, 'dist/flists/split.txt'), 'utf8')
    assert.match(split, /flist +acme\/flist\.bin\n/)
    assert.not.match(split, 'acme/other.bin')
    const published = await zos(['publish'], limits.command)
    assert.is(published.end, 0, published.stdout + published.stderr)
    for (const end of ['', '.manifest']) {
      const path = join(folder, `firmware-test.fl${end}`)
      await minio.client.fGetObject(bucket, `pub/manifests/firmware-test.fl${end}`, path)
      const bytes = readFileSync(path)
      answers.set(`/firmware-test.fl${end}`, bytes)
      answers.set(`/changed/firmware-test.fl${end}`, end === '' ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes)
    }
    isPublished = true
  })

  test('the image has the key that reads, and no trace of the one that writes', () => {
    assert.ok(isPublished)
    const output = join(place, 'dist')
    const archive = readdirSync(output).find((name) => name.startsWith('initramfs'))
    const options = { maxBuffer: 1 << 30 }
    const texts = [
      spawnSync('zstd', ['-dc', join(output, archive!)], options).stdout,
      ...readdirSync(output, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name))] : [],
      ),
    ]
    assert.ok(texts[0]!.includes(reader.secretKey))
    for (const text of texts) for (const key of [writer.accessKey, writer.secretKey]) assert.not.ok(text.includes(key))
  })

  test('booted, it loads modules of stage1, stage2 and the flist, and firmware of either origin', async () => {
    assert.ok(isPublished)
    const done = 'flist-node: done'
    const run = ['run', '--memory', '1024', '--expect', done, '--timeout', String(limits.boot)]
    const { end, stdout, stderr } = await zos(run, limits.boot + 20, { PATH: `${programs}:${process.env.PATH}` })
    const log = join(place, 'dist/vm/console.log')
    said = existsSync(log) ? readFileSync(log, 'utf8').replaceAll('\r', '') : ''
    assert.is(end, 0, `${stdout}${stderr}${said}`)
    expectLine('zos: rfs-firmware: /usr/lib/firmware shows /etc/rfs/firmware-latest.fl\n')
    assert.match(said, /^zos: rfs-modules: \/usr\/lib\/modules\/\S+ shows \/etc\/rfs\/modules-\S+\.fl$/m)
    assert.not.match(said, 'does not match the modules')
    expectLine('flist-node: mounts: 2 of flists, 2 overlays\n')
    expectLine('flist-node: overlay is loaded\n')
    expectLine('flist-node: vfat is loaded\n')
    expectLine('flist-node: msdos is not loaded yet\n')
    expectLine('flist-node: msdos is loaded\n')
    expectLine(`flist-node: ${sum(contents.image)}  acme/image.bin\n`)
    expectLine(`flist-node: ${sum(contents.flist)}  acme/flist.bin\n`)

    const [, elsewhere = ''] = said.split('acme/flist.bin\n')
    assert.match(elsewhere, /is not what was signed\nflist-node: a flist from elsewhere ended with 1\n/)
    assert.match(elsewhere, /sha256sum: .*acme\/flist\.bin/)
    expectLine('flist-node: a flist from elsewhere ended with 0\n')
    assert.is(said.split(`flist-node: ${sum(contents.flist)}  acme/flist.bin\n`).length, 3, said)
  })

  if (hasCards)
    test('drivers of the flist find their hardware, and the kernel their firmware in flist and image', () => {
      assert.is(splitOf('e100'), 'flist')
      for (const [revision, file] of [
        ['0x0f', 'd102e'],
        ['0x09', 'd101s'],
      ]) {
        expectLine(`flist-node: a card of e100, revision ${revision}, is up\n`)
        assert.match(
          said,
          new RegExp(`^flist-node: e100 \\S+ Loading firmware from /lib/firmware/e100/${file}_ucode\\.bin$`, 'm'),
        )
      }
    })

  const missing = ['cargo', 'qemu-system-x86_64'].find((tool) => whereIs(tool) === '')
  if (noMinio !== undefined) console.log(`skip a node with flists: ${noMinio}`)
  else if (missing !== undefined) console.log(`skip a node with flists: ${missing} is not there`)
  else test.run()
}
