import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withEssential } from '../dist/included.js'
import type { ModuleFacts } from '../dist/module-index.js'
import type { WantedModules } from '../dist/modules-conf.js'
import { parseModulesConf } from '../dist/modules-conf.js'
import { errorOf } from './handmade.js'

test('names of both stages with their lines; third field and comments say nothing', () => {
  const text = '# disks\nstage1:virtio_blk\n\n stage1 : crc32c-intel # cpu\nstage2:igb:igb/fw.bin\r\n'
  assert.equal(parseModulesConf(text, 'config/modules.conf'), {
    stage1: [
      { name: 'virtio_blk', by: 'config/modules.conf:2' },
      { name: 'crc32c-intel', by: 'config/modules.conf:4' },
    ],
    stage2: [{ name: 'igb', by: 'config/modules.conf:5' }],
  })
})

for (const [line, found] of [
  ['virtio_blk', 'found "virtio_blk", expected stage1:NAME or stage2:NAME'],
  ['stage3:x', 'found "stage3:x", expected stage1:NAME or stage2:NAME'],
  ['stage1:', '"" is not a module\'s name'],
  ['stage1:kernel/fs/xfs/xfs.ko', "is not a module's name"],
  ['stage1:../../x', "is not a module's name"],
  [`stage1:${'a'.repeat(56)}`, 'expected up to 55 letters'],
] as const) {
  test(`an error names file and line: ${line.slice(0, 30)}`, () => {
    const { code, message } = errorOf(() => parseModulesConf(`# first\n${line}\n`, 'm.conf'))
    assert.is(code, 'KERNEL_MODULES_CONF')
    assert.match(message, 'm.conf:2: ')
    assert.match(message, found)
  })
}

test('a path with .ko is answered with how to write it', () => {
  assert.equal(errorOf(() => parseModulesConf('stage1:xfs.ko', 'm.conf')).hint, [
    'give the name alone, without folder and .ko',
  ])
})

test('a text above the limit is refused', () => {
  assert.match(errorOf(() => parseModulesConf('#'.repeat(1024 * 1024 + 1), 'm.conf')).message, 'more than the 1048576')
})

const name = fc.stringMatching(/^[a-z0-9_][a-zA-Z0-9_-]{0,20}$/)

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('stage1', 'stage2'), name)), (entries) => {
      const text = entries.map(([stage, module]) => `${stage}:${module}\n`).join('')
      const read = parseModulesConf(text, 'm.conf')
      for (const stage of ['stage1', 'stage2'] as const) {
        assert.equal(
          read[stage].map((wanted) => wanted.name),
          entries.filter(([of]) => of === stage).map(([, module]) => module),
        )
      }
    }),
  )
})

test('any text is read or refused with a code', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseModulesConf(text, 'm.conf')
      } catch (error) {
        assert.is((error as { code: string }).code, 'KERNEL_MODULES_CONF')
      }
    }),
  )
})

const facts = (name: string) => ({ name }) as ModuleFacts
const wanted = (...names: string[]) => ({
  stage1: names.map((name) => ({ name, by: 'x' })),
  stage2: [{ name: 'igb', by: 'x' }],
})

test('essential drivers that are modules are loaded first; minimal leaves the list away', () => {
  const modules = ['igb', 'e1000', 'nvme', 'virtio_pci'].map(facts)
  const none = { stage1: [], stage2: [] }
  const names = ({ stage1, stage2 }: WantedModules) => [stage1.map(({ name }) => name), stage2.map(({ name }) => name)]
  assert.equal(names(withEssential(undefined, modules, wanted('e1000'), none)), [['e1000'], ['igb']])
  assert.equal(names(withEssential('standard', modules, wanted('e1000'), none)), [
    ['virtio_pci', 'nvme', 'e1000'],
    ['igb'],
  ])
  assert.equal(names(withEssential('minimal', modules, wanted('e1000'), wanted('acme'))), [
    ['virtio_pci', 'nvme', 'acme'],
    ['igb'],
  ])
})

test.run()
