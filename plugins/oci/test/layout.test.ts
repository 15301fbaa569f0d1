// The layout: tags replace each other and nothing else; skopeo, where it is there, copies what was written.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ObjectStore, type Output, type PublishContext, ZosError } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { indexText, manifestText } from '../dist/layout.js'
import { publishLayout } from '../dist/publish.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-oci-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const contents = { 'vmlinuz.efi': 'kernel', 'initramfs.cpio.xz': 'initramfs' }
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const outputs: Output[] = Object.entries(contents).map(([name, text]) => ({
  ...{ name, plugin: 'test', format: 'test', blob: { sha256: sha256(text), size: text.length } },
  facts: { release: '6.12.44+x' },
}))

/** A store over a real folder, without what publishing does not use. */
const storeOf = (path: string): ObjectStore => ({
  url: (key) => `dir://${path}${key ? `/${key}` : ''}`,
  put: async (key, content) => {
    const text = typeof content === 'string' ? content : 'blob' in content ? textOf(content.blob.sha256) : ''
    mkdirSync(dirname(join(path, key)), { recursive: true })
    writeFileSync(join(path, key), text)
    return { etag: sha256(text) }
  },
  read: async (key) => {
    try {
      const bytes = readFileSync(join(path, key))
      return { bytes, etag: sha256(bytes.toString()) }
    } catch {
      return undefined
    }
  },
  head: async () => undefined,
  get: () => assert.unreachable() as never,
  list: () => assert.unreachable() as never,
  remove: async () => undefined,
  close: () => undefined,
})
const textOf = (digest: string): string => Object.values(contents).find((text) => sha256(text) === digest)!

const publish = (path: string, tag?: string) =>
  publishLayout(
    {
      ...{ outputs, epoch: 1_735_992_000, blobs: {}, progress: () => undefined },
      objects: async () => storeOf(path),
    } as unknown as PublishContext,
    { path, ...(tag !== undefined && { tag }) },
  )

test('every digest in the layout is that of a file in it', async () => {
  const path = join(folder, 'layout')
  const [receipt] = await publish(path)
  assert.is(receipt!.url, `dir://${path}:6.12.44-x`)
  for (const name of readdirSync(join(path, 'blobs/sha256')))
    assert.is(sha256(readFileSync(join(path, 'blobs/sha256', name), 'utf8')), name)
  const manifest = JSON.parse(readFileSync(join(path, 'blobs/sha256', receipt!.sha256), 'utf8'))
  assert.equal(
    manifest.layers.map((layer: { annotations: object }) => Object.values(layer.annotations)[0]),
    ['initramfs.cpio.xz', 'vmlinuz.efi'],
  )
  assert.is(manifest.annotations['org.opencontainers.image.created'], '2025-01-04T12:00:00Z')
  await publish(path, 'other')
  await publish(path)
  const { manifests } = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'))
  assert.equal(
    manifests.map(({ annotations }: { annotations: object }) => Object.values(annotations)[0]),
    ['other', '6.12.44-x'],
  )
})

test('skopeo reads the layout and copies it whole', async () => {
  if (spawnSync('skopeo', ['--version']).error) {
    console.log('skip skopeo: it is not installed')
    return
  }
  const path = join(folder, 'skopeo')
  await publish(path, 'v1')
  const copy = join(folder, 'copy')
  const words = ['copy', '--insecure-policy', `oci:${path}:v1`, `oci:${copy}:v2`]
  const { status, stderr } = spawnSync('skopeo', words, { encoding: 'utf8' })
  assert.is(status, 0, stderr)
  const names = (place: string): string[] => readdirSync(join(place, 'blobs/sha256')).sort()
  assert.equal(names(copy), names(path))
})

test('a file that is no index is left alone', async () => {
  assert.is(indexText('[]', '', 'x'), undefined)
  assert.is(indexText('{', '', 'x'), undefined)
  const path = join(folder, 'taken')
  mkdirSync(path)
  writeFileSync(join(path, 'index.json'), 'mine')
  await publish(path).then(
    () => assert.unreachable(),
    (error) => assert.ok(error instanceof ZosError && error.code === 'OCI_INDEX'),
  )
  assert.is(readFileSync(join(path, 'index.json'), 'utf8'), 'mine')
  assert.ok(manifestText([], 'x').includes('"layers":[]'))
})

test.run()
