// The same cases decide the options of the plugin, the JSON Schema, and (in the crate's tests) the program itself.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ref } from '@zos/core'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { zosstorage } from '../dist/index.js'
import { type ZosstorageOptions, zosstorageOptions } from '../dist/options.js'

const schemaFolder = fileURLToPath(new URL('../crate/schema/', import.meta.url))
const json = (name: string) => JSON.parse(readFileSync(`${schemaFolder}${name}`, 'utf8'))
const cases = json('cases.json') as { accepted: object[]; refused: [object, string][] }
const program = ref('rust-musl', 'zosstorage')

const problemsOf = (options: object): string[] => {
  const result = v.safeParse(zosstorageOptions, { program, ...options })
  return result.success ? [] : result.issues.map((issue) => v.getDotPath(issue) ?? '')
}

test('the options take what the program takes, and refuse the rest by its path', () => {
  for (const options of cases.accepted) assert.equal(problemsOf(options), [], JSON.stringify(options))
  for (const [options, path] of cases.refused) {
    const paths = problemsOf(options)
    assert.ok(paths.length > 0 && paths.every((one) => one.startsWith(path)), `${JSON.stringify(options)}: ${paths}`)
  }
})

test('the JSON Schema says the same', () => {
  const validate = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true }).compile(
    json('config.schema.json'),
  )
  for (const options of cases.accepted)
    assert.ok(validate({ version: 1, ...options }), `${JSON.stringify(options)}: ${JSON.stringify(validate.errors)}`)
  for (const [options] of cases.refused) assert.not.ok(validate({ version: 1, ...options }), JSON.stringify(options))
  assert.not.ok(validate({}))
})

/** What has to be refused is marked, and compiling it is the test. */
const typed = (): unknown => [
  zosstorage({ program }),
  zosstorage({ program, topology: 'btrfs_raid1', disks: ['/dev/vda', '/dev/vdb'] }),
  zosstorage({ program, topology: 'ssd_hdd_bcachefs', filesystems: { bcachefs: { write_back: true } } }),
  // @ts-expect-error no program
  zosstorage({ topology: 'auto' }),
  // @ts-expect-error no such topology
  zosstorage({ program, topology: 'raid5' }),
  // @ts-expect-error a mirror has two disks
  zosstorage({ program, topology: 'btrfs_raid1', disks: ['/dev/vda'] }),
  // @ts-expect-error auto chooses by itself
  zosstorage({ program, topology: 'auto', disks: ['/dev/vda'] }),
  // @ts-expect-error no bcachefs there
  zosstorage({ program, topology: 'single', filesystems: { bcachefs: {} } }),
  // @ts-expect-error one device cannot mirror
  zosstorage({ program, topology: 'single', filesystems: { btrfs: { data_profile: 'raid1' } } }),
  // @ts-expect-error both replicas are on the backing devices
  zosstorage({ program, topology: 'bcachefs_2copy', filesystems: { bcachefs: { write_back: true } } }),
  // @ts-expect-error no device
  zosstorage({ program, topology: 'single', disks: ['vda'] }),
  // @ts-expect-error no size
  zosstorage({ program, partitions: { esp_size: '512 megabytes' } }),
]

test('impossible topologies do not compile', () => {
  assert.type(typed, 'function')
  const options: ZosstorageOptions = { program, topology: 'single' }
  assert.is(zosstorage(options).id, 'zosstorage')
})

test.run()
