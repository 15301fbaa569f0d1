import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseBuiltinModinfo, parseModinfo } from '../dist/modinfo.js'
import { moduleIndex } from '../dist/module-index.js'
import { parseModulesBuiltin } from '../dist/modules-builtin.js'
import { parseModulesDep } from '../dist/modules-dep.js'
import { parseSoftdeps } from '../dist/softdep.js'
import { errorOf } from './handmade.js'

const bytes = (text: string) => new TextEncoder().encode(text)

test('a .modinfo section, padded with zeros', () => {
  const info = parseModinfo(bytes('\0alias=fs-x\0alias=x=y\0\0depends=\0'))
  assert.equal(
    [...info],
    [
      ['alias', ['fs-x', 'x=y']],
      ['depends', ['']],
    ],
  )
  assert.match(errorOf(() => parseModinfo(bytes('alias\0'))).message, 'expected KEY=VALUE')
})

test('softdeps: several values join, names without pre: or post: are weak', () => {
  assert.equal(parseSoftdeps(['pre: a-1 b post: c', 'aes', 'post: d'], ['phy, mac']), {
    pre: ['a_1', 'b'],
    post: ['c', 'd'],
    weak: ['aes', 'phy', 'mac'],
  })
})

test('modules.builtin', () => {
  assert.equal(parseModulesBuiltin('kernel/fs/ext4/ext4.ko\nkernel/a/crc32c-intel.ko\n'), ['crc32c_intel', 'ext4'])
  assert.match(errorOf(() => parseModulesBuiltin('kernel/b.ko\nx\n')).message, 'modules.builtin:2: found "x"')
})

test('modules.dep', () => {
  assert.equal(
    [...parseModulesDep('kernel/a.ko.xz: kernel/b.ko.xz kernel/c.ko.xz\nkernel/b.ko.xz:\n')],
    [
      ['kernel/a.ko.xz', ['kernel/b.ko.xz', 'kernel/c.ko.xz']],
      ['kernel/b.ko.xz', []],
    ],
  )
  assert.match(errorOf(() => parseModulesDep('a.ko:\nb.ko')).message, 'modules.dep:2: found "b.ko"')
  assert.match(errorOf(() => parseModulesDep('a.ko:\na.ko:')).message, 'modules.dep:2: a.ko a second time')
})

test('the index: canonical names, plain aliases only, firmware of modules and of what is built in', () => {
  const index = moduleIndex({
    version: '6.1',
    modinfo: new Map([
      [
        'kernel/my-nic.ko.zst',
        parseModinfo(
          bytes(
            'vermagic=6.1 SMP \0depends=lib-a,b\0alias=pci:v*\0alias=nic-1\0firmware=z.bin\0firmware=a.bin\0softdep=pre: q-r\0',
          ),
        ),
      ],
    ]),
    builtin: 'kernel/x-y.ko\n',
    builtinModinfo: bytes('x_y.firmware=xy.bin\0printk.parm=time:a.b=c\0'),
  })
  assert.equal(index, {
    version: '6.1',
    modules: [
      {
        name: 'my_nic',
        path: 'kernel/my-nic.ko.zst',
        depends: ['lib_a', 'b'],
        pre: ['q_r'],
        post: [],
        weak: [],
        firmware: ['a.bin', 'z.bin'],
        aliases: ['nic_1'],
      },
    ],
    builtin: [{ name: 'x_y', firmware: ['xy.bin'] }],
  })
})

test('the index refuses a module of another version and a name twice', () => {
  const info = (version: string) => parseModinfo(bytes(`vermagic=${version} SMP\0`))
  const input = { version: '6.1', builtin: '' }
  assert.match(
    errorOf(() => moduleIndex({ ...input, modinfo: new Map([['kernel/a.ko', info('6.2')]]) })).message,
    'kernel/a.ko was built for kernel 6.2, the tree is of 6.1',
  )
  const twice = new Map([
    ['kernel/a-b.ko', info('6.1')],
    ['updates/a_b.ko.xz', info('6.1')],
  ])
  assert.match(errorOf(() => moduleIndex({ ...input, modinfo: twice })).message, 'are both module a_b')
})

const field = fc.tuple(
  fc.stringMatching(/^[a-z_]{1,8}$/),
  fc.string().map((text) => text.replaceAll('\0', '')),
)

test('pairs that are written are read back', () => {
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const text = fields.map(([key, value]) => `${key}=${value}\0`).join('')
      const expected = new Map<string, string[]>()
      for (const [key, value] of fields) expected.set(key, [...(expected.get(key) ?? []), value])
      assert.equal(parseModinfo(bytes(text)), expected)
      const builtin = parseBuiltinModinfo(bytes(fields.map(([key, value]) => `m.${key}=${value}\0`).join('')))
      assert.equal(builtin.get('m') ?? new Map(), expected)
    }),
  )
})

test('any bytes are read or refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      for (const parse of [parseModinfo, parseBuiltinModinfo]) {
        try {
          parse(noise)
        } catch (error) {
          assert.is((error as { code: string }).code, 'KERNEL_MODINFO')
        }
      }
    }),
  )
})

test.run()
