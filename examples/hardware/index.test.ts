import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejection, runPlugin } from '@zos/core/testing'
import { acmeBoard } from './index.ts'

const given = { project: { 'nvram.bin': 'calibrated' }, outputs: { 'vmlinuz.efi': 'kernel' } }

test('kernel options, modules, unit and firmware', async () => {
  const ran = await runPlugin(acmeBoard({ nvram: 'nvram.bin' }), given)
  assert.deepEqual(ran.wishes.get('kernel/config'), ['CONFIG_HW_RANDOM_VIRTIO=m'])
  assert.deepEqual(ran.wishes.get('kernel/modules'), [{ stage1: ['virtio_rng'] }])
  assert.equal((ran.wishes.get('zinit/service') as { name: string }[])[0]!.name, 'acme-board')
  assert.deepEqual(ran.changes, ['+ /usr/lib/firmware/acme/nvram.bin file 0644'])
})

test('the boot medium is a head and whole blocks', async () => {
  const ran = await runPlugin(acmeBoard({ nvram: 'nvram.bin' }), given)
  const image = await ran.blobs.read(ran.packed.get('acme.img')!.blob)
  assert.equal(image.length, 1024)
  assert.equal(new TextDecoder().decode(image.subarray(0, 4)), 'ACME')
  assert.equal(new DataView(image.buffer, image.byteOffset).getUint32(4, true), 6)
  assert.equal(new TextDecoder().decode(image.subarray(512, 518)), 'kernel')
})

test('a missing file is told', async () => {
  assert.equal((await rejection(runPlugin(acmeBoard({ nvram: 'no.bin' }), given))).code, 'FILE_MISSING')
})
