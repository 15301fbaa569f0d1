import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseKconfig } from '../dist/kconfig.js'
import { conjuncts, evaluate, symbolsIn } from '../dist/kconfig-expression.js'
import { parseKernelConfig } from '../dist/kernel-config.js'
import { explainRefused, refusedLines } from '../dist/refused.js'

const files = new Map([
  [
    'Kconfig',
    `mainmenu "Linux"
source "arch/$(SRCARCH)/Kconfig"
source "drivers/Kconfig"
source "missing/Kconfig"
`,
  ],
  [
    'arch/x86/Kconfig',
    `config X86
	def_bool y
	select HAVE_ACME if PCI

config HAVE_ACME
	bool

config SHMEM
	bool "Use full shmem filesystem" if EXPERT
	default y
	help
	  A text with words that look like statements:
	  config NOT_A_SYMBOL

	  depends on NOTHING

config TMPFS
	bool "Tmpfs virtual memory file system support (former shm fs)"
	depends on SHMEM # for its inodes
	select XATTR \\
		if SHMEM
`,
  ],
  [
    'drivers/Kconfig',
    `menu "Device drivers"
	depends on !UML

if NET
menuconfig NETDEVICES
	default y if UML
	bool "Network device support"

config ACME_NIC
	tristate "Acme cards"
	depends on PCI && (X86 || COMPILE_TEST)
	depends on NETDEVICES
endif # NET

choice
	prompt "Speed"
config FAST
	bool "Fast"
config SLOW
	bool "Slow"
endchoice

endmenu

config XATTR
	bool
`,
  ],
])
const kconfig = parseKconfig(files, 'x86')
const config = parseKernelConfig('CONFIG_X86=y\nCONFIG_NET=y\nCONFIG_PCI=m\nCONFIG_FAST=y\nCONFIG_N=8\n', '.config')

test('symbols with their type, prompt and everything that they depend on', () => {
  assert.equal([...kconfig.symbols.keys()].sort(), [
    ...['ACME_NIC', 'FAST', 'HAVE_ACME', 'NETDEVICES', 'SHMEM', 'SLOW', 'TMPFS', 'X86', 'XATTR'],
  ])
  const [nic] = kconfig.symbols.get('ACME_NIC')!
  assert.equal(nic, {
    symbol: 'ACME_NIC',
    file: 'drivers/Kconfig',
    line: 9,
    type: 'tristate',
    hasPrompt: true,
    depends: ['!UML', 'NET', 'PCI && (X86 || COMPILE_TEST)', 'NETDEVICES'],
  })
  assert.is(kconfig.symbols.get('HAVE_ACME')![0]!.hasPrompt, false)
  assert.equal(kconfig.symbols.get('TMPFS')![0]!.depends, ['SHMEM'])
  assert.equal(kconfig.selects.get('XATTR'), [{ by: 'TMPFS', condition: 'SHMEM' }])
})

test('expressions: n, m and y are the lesser and the greater, comparisons are all or nothing', () => {
  const value = (expression: string) => 'nmy'[evaluate(expression, config)]
  assert.is(value('PCI && X86'), 'm')
  assert.is(value('PCI || X86'), 'y')
  assert.is(value('!PCI'), 'm')
  assert.is(value('!(NET && USB)'), 'y')
  assert.is(value('PCI=m && NET!=n'), 'y')
  assert.is(value('N >= 4 && N < 8'), 'n')
  assert.is(value('$(success,$(CC) -v) && PCI'), 'm')
  assert.is(value('"y" = y'), 'y')
  assert.is(value(''), 'n')
  assert.equal(symbolsIn('PCI=y && !(X86_64 || "text") && m'), ['PCI', 'X86_64'])
  assert.equal(conjuncts('A && (B || C) && !D'), ['A', '(B || C)', '!D'])
  assert.equal(conjuncts('A || B && C'), ['A || B && C'])
})

test('property: no expression and no file is too odd', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.ok([0, 1, 2].includes(evaluate(text, config)))
      assert.ok(conjuncts(text).length > 0)
      parseKconfig(new Map([['Kconfig', text]]), 'x86')
    }),
  )
  assert.throws(() => parseKconfig(new Map([['Kconfig', 'source "Kconfig"']]), 'x86'), /more than 32 files deep/)
})

const why = (symbol: string, value: string): string => {
  const [refused] = refusedLines([{ symbol: `CONFIG_${symbol}`, value, by: 'virtio.config:3' }], config)
  return explainRefused(refused!, kconfig, config)
}

test('each line that was not taken has its reason', () => {
  assert.is(
    why('TMPFS', 'y'),
    'virtio.config:3: CONFIG_TMPFS=y is not taken (it is n): needs SHMEM, where SHMEM=n (arch/x86/Kconfig:17)',
  )
  assert.match(why('ACME_NIC', 'y'), 'needs PCI, where PCI=m and NETDEVICES, where NETDEVICES=n (drivers/Kconfig:9)')
  assert.match(why('ACME_NIK', 'm'), 'this kernel has no such symbol; did you mean CONFIG_ACME_NIC?')
  assert.match(why('TMPFS', 'm'), 'it is a bool, y or n')
  assert.match(why('HAVE_ACME', 'y'), 'it cannot be set by hand, only selected: by X86')
  assert.match(why('SLOW', 'y'), 'another choice is made, or the toolchain cannot do it')
})

test('of several lines for a symbol the last counts; y fulfils m', () => {
  const lines = ['n', 'y', 'm'].map((value) => ({ symbol: 'CONFIG_X86', value, by: 'a' }))
  assert.equal(refusedLines(lines, config), [])
  assert.equal(refusedLines(lines.slice(0, 1), config), [{ ...lines[0]!, found: 'y' }])
})

test.run()
