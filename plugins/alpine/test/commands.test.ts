import { type CommandContext, isZosError } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import apk from '../dist/commands/apk.js'
import { madeKey, makeApk } from './made-package.js'

const key = madeKey('builder.rsa.pub')
const files = new Map<string, Uint8Array>([
  [
    'repo/a-1-r0.apk',
    await makeApk('a', '1-r0', { files: { '/etc/a': 'a', '/etc/l': '-> a' }, info: { depends: ['b'] } }, key),
  ],
  ['builder.rsa', Buffer.from(key.privateKey)],
  ['keys/builder.rsa.pub', Buffer.from(key.publicKey)],
])
const pin = (name: string, by: string[], scripts?: string[]) => ({
  name,
  version: '1-r0',
  by,
  ...(scripts && { scripts }),
})
const root = [pin('b', ['a'], ['post-upgrade']), pin('a', ['world']), pin('busybox', ['world'], ['post-install'])]

/** Runs `zos apk …` on files in memory and a lock with three packages. */
const run = async (args: readonly string[], options: CommandContext['options'] = {}) => {
  let out = ''
  const ctx = {
    args,
    options,
    json: options.json === true,
    out: (text: string) => {
      out += text
    },
    env: () => undefined,
    lock: async () => ({
      file: 'zos.lock',
      plugins: () => [{ id: 'alpine', options: {} }],
      pin: () => ({ root, trees: {} }),
    }),
    files: {
      bytes: async (path: string) => files.get(path),
      text: async (path: string) => (files.has(path) ? Buffer.from(files.get(path)!).toString() : undefined),
      list: async (folder: string) =>
        [...files.keys()]
          .flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []))
          .sort(),
      write: async (path: string, content: string | Uint8Array) => void files.set(path, Buffer.from(content)),
    },
  } as unknown as CommandContext
  return { code: await apk.run(ctx), out }
}
const failing = async (...args: string[]): Promise<string> => {
  try {
    await run(args)
  } catch (error) {
    if (isZosError(error)) return error.message
    throw error
  }
  throw new Error('expected an error, but there was none')
}

test('a folder of packages becomes a signed repository, and is verified', async () => {
  const made = await run(['index', 'repo'], { key: 'builder.rsa' })
  assert.is(made.out, 'repo/APKINDEX.tar.gz: 1 packages, signed as builder.rsa.pub\n')
  const { code, out } = await run(['verify', 'repo/APKINDEX.tar.gz', 'repo/a-1-r0.apk'], { keys: 'keys' })
  assert.is(
    out,
    'repo/APKINDEX.tar.gz: ok, index of 1 packages, signed by builder.rsa.pub\nrepo/a-1-r0.apk: ok, a 1-r0, signed by builder.rsa.pub\n',
  )
  assert.is(code, 0)
  const unknown = await run(['verify', 'repo/a-1-r0.apk'])
  assert.is(unknown.code, 5)
  assert.match(unknown.out, /APK_UNTRUSTED/)
})

test('what is inside a package', async () => {
  assert.match((await run(['files', 'repo/a-1-r0.apk'])).out, /0644 .* 1 \/etc\/a\n0777 .* 0 \/etc\/l → a\n/)
  assert.match((await run(['info', 'repo/a-1-r0.apk'])).out, /^package {5}a-1-r0 \(x86_64\)\n[\s\S]*depends {5}b\n/)
})

test('what the lock says: packages, why they are there, scripts and what stands for them', async () => {
  assert.is((await run(['info'])).out, 'a-1-r0\nb-1-r0\nbusybox-1-r0\n')
  assert.is((await run(['why', 'b'])).out, 'b-1-r0\n  world → a → b\n')
  const { out } = await run(['scripts'])
  assert.match(out, /^b .*not run when a package is installed$/m)
  assert.match(out, /^busybox .*rule; /m)
  assert.is(await failing('why', 'busybo'), 'busybo is not in the image')
})

test('wrong words', async () => {
  assert.match(await failing('slove'), /no command 'slove'; did you mean solve\?/)
  assert.match(await failing('index', 'repo'), /expected one folder of packages, and the key/)
  assert.match(await failing('files', 'none.apk'), /none\.apk: no such file/)
})

test.run()
