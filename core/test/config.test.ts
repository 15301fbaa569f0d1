import { existsSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, Project, pluginsFile } from './temporary-project.js'

const plugins = pluginsFile(`
export const demo = definePlugin<any>()({
  ...base,
  name: 'demo',
  options: v.strictObject({
    greeting: v.string(),
    count: v.optional(v.pipe(v.number(), v.minValue(1))),
    loud: v.optional(v.boolean()),
    list: v.optional(v.array(v.string())),
    deep: v.optional(v.strictObject({ inner: v.optional(v.string()), other: v.optional(v.number()) })),
    from: v.optional(refOption),
    key: v.optional(secretOption),
  }),
  env: { DEMO_GREETING: 'greeting', DEMO_COUNT: 'count', DEMO_LOUD: 'loud', DEMO_INNER: 'deep.inner' },
  refs: (id) => ({ made: ref(id, 'thing', 'tree') }),
  apply: () => {},
})
export const maker = plugin('maker', () => {}, { refs: (id) => ({ made: ref(id, 'thing', 'tree') }) })
`)

const project = (config: string, more: Record<string, string> = {}): Project =>
  new Project({ 'plugins.ts': plugins, 'zos.config.ts': config, ...more })

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts.
const shown = async (where: Project, words: string[] = [], env: Record<string, string> = {}): Promise<any> => {
  const { code, out, err } = await where.run(['config', '--json', ...words], env)
  if (code !== 0) throw new Error(`zos config ended with ${code}: ${out}${err}`)
  return JSON.parse(out)
}

/** The problems of a config, each as `path: message`. */
const problems = async (where: Project, words: string[] = []): Promise<string[]> => {
  const { code, message, exit } = await where.failure(words)
  assert.is(code, 'CONFIG_INVALID')
  assert.is(exit, 3)
  const [title, ...lines] = String(message).split('\n')
  assert.match(title ?? '', new RegExp(`: ${lines.length} problem`))
  return lines.map((line) => line.trim())
}

const variant = (changes: string): string =>
  `import base from '../zos.config.ts'\nexport default base.variant({ name: 'small', ${changes} })\n`

test('a config is found from a folder below, and says where everything lies', async () => {
  const one = project(configOf(`local.demo({ greeting: 'hello' })`))
  one.write({ 'sub/folder/x': '' })
  const { code, out } = await one.zos(['config', '--json'], { cwd: 'sub/folder' })
  assert.is(code, 0)
  const config = JSON.parse(out)
  assert.is(config.file, one.path('zos.config.ts'))
  assert.is(config.root, one.root)
  assert.is(config.lockFile, one.path('zos.lock'))
  assert.is(config.outputFolder, one.path('dist'))
  assert.is(config.mode, 'debug')
  assert.is(config.arch, 'x86_64')
  assert.equal(config.plugins, { demo: { plugin: 'demo 1.0.0', options: { greeting: 'hello' } } })
  assert.ok(existsSync(one.path('.zos/jiti')))
  assert.ok(readdirSync(one.path('.zos/jiti')).length > 0)
})

test('a variant merges objects, replaces lists and scalars, and takes members away', async () => {
  const one = project(
    configOf(`local.demo({ greeting: 'hello', list: ['a', 'b'], deep: { inner: 'i', other: 1 } }), local.maker({})`),
    {
      'variants/small.config.ts': variant(
        `plugins: { demo: { count: 3, list: ['c'], deep: { other: 2 } }, maker: false }, initramfs: { compression: 'zstd' }`,
      ),
      'variants/tiny.config.ts': `import small from './small.config.ts'
export default small.variant({ name: 'tiny', plugins: { demo: { deep: { inner: undefined } } } })\n`,
    },
  )
  const small = await shown(one, ['-c', 'variants/small.config.ts'])
  assert.is(small.name, 'small')
  assert.is(small.lockFile, one.path('variants/small.lock'))
  assert.is(small.outputFolder, one.path('dist/small'))
  assert.is(small.root, one.root)
  assert.equal(small.plugins, {
    demo: {
      plugin: 'demo 1.0.0',
      options: { greeting: 'hello', count: 3, list: ['c'], deep: { inner: 'i', other: 2 } },
    },
  })
  const tiny = await shown(one, ['-c', 'variants/tiny.config.ts'])
  assert.equal(tiny.plugins.demo.options.deep, { other: 2 })
  assert.is(tiny.initramfs.compression, 'zstd')
  // The base is as it was.
  assert.equal((await shown(one)).plugins.demo.options.list, ['a', 'b'])
})

test('the order of precedence is flag, environment, variant, config', async () => {
  const one = project(
    `import { defineConfig } from '@zos/core'
import * as local from './plugins.ts'
export default defineConfig(({ env, mode, arch }) => ({
  name: 'demo', arch: 'x86_64',
  plugins: [local.demo({ greeting: env.WORD ?? 'config', deep: { inner: mode + ' ' + arch } })],
}))\n`,
    { 'variants/small.config.ts': variant(`arch: 'aarch64', plugins: { demo: { greeting: 'variant' } }`) },
  )
  const small = ['-c', 'variants/small.config.ts']
  assert.is((await shown(one)).plugins.demo.options.greeting, 'config')
  assert.is((await shown(one, [], { WORD: 'word' })).plugins.demo.options.greeting, 'word')
  assert.is((await shown(one, small)).plugins.demo.options.greeting, 'variant')
  const overridden = await shown(one, small, { DEMO_GREETING: 'environment', DEMO_COUNT: '4', DEMO_LOUD: '1' })
  assert.is(overridden.plugins.demo.options.greeting, 'environment')
  assert.is(overridden.plugins.demo.options.count, 4)
  assert.is(overridden.plugins.demo.options.loud, true)
  assert.equal(overridden.overriddenBy, { demo: ['DEMO_GREETING', 'DEMO_COUNT', 'DEMO_LOUD'] })
  assert.is(overridden.arch, 'aarch64')
  assert.is(overridden.plugins.demo.options.deep.inner, 'debug aarch64')
  const environment = await shown(one, small, { TARGETARCH: 'amd64', BUILDMODE: 'release', DEMO_GREETING: '' })
  assert.is(environment.arch, 'x86_64')
  assert.is(environment.mode, 'release')
  assert.is(environment.plugins.demo.options.deep.inner, 'release x86_64')
  assert.is(environment.plugins.demo.options.greeting, 'variant')
  const flags = await shown(one, ['--mode', 'debug', '--arch', 'aarch64'], {
    TARGETARCH: 'amd64',
    BUILDMODE: 'release',
  })
  assert.is(flags.arch, 'aarch64')
  assert.is(flags.mode, 'debug')
  assert.is((await shown(one, [], { DEMO_INNER: 'x' })).plugins.demo.options.deep.inner, 'x')
})

test('a variant sets variables of the base’s function, and the environment comes before it', async () => {
  const one = project(
    `import { defineConfig } from '@zos/core'
import * as local from './plugins.ts'
export default defineConfig(({ env }) => ({
  name: 'demo',
  plugins: [local.demo({ greeting: env.WORD ?? 'config', list: [env.OTHER ?? 'none'] })],
}))\n`,
    {
      'variants/small.config.ts': variant(`env: { WORD: 'variant' }`),
      'variants/tiny.config.ts': `import small from './small.config.ts'
export default small.variant({ name: 'tiny', env: { OTHER: 'tiny' } })\n`,
      'variants/odd.config.ts': variant(`env: { WURD: 'variant' }`),
      'variants/fixed.config.ts': variant(`plugins: { demo: { greeting: 'fixed' } }`),
    },
  )
  const greeting = async (file: string, env: Record<string, string> = {}) => {
    const { plugins, overriddenBy } = await shown(one, ['-c', `variants/${file}.config.ts`], env)
    return [plugins.demo.options.greeting, plugins.demo.options.list[0], overriddenBy]
  }
  assert.equal(await greeting('small'), ['variant', 'none', {}])
  assert.equal(await greeting('small', { WORD: '' }), ['variant', 'none', {}])
  assert.equal(await greeting('small', { WORD: 'word' }), ['word', 'none', { '*': ['WORD'] }])
  assert.equal(await greeting('tiny', { WORD: 'word' }), ['word', 'tiny', { '*': ['WORD'] }])
  assert.equal(await problems(one, ['-c', 'variants/odd.config.ts']), [
    'env.WURD: the base reads no such variable; did you mean "WORD"?',
  ])
  assert.equal(await greeting('fixed', { OTHER: 'other' }), ['fixed', 'other', { '*': ['OTHER'] }])
  const lost = await one.failure(['-c', 'variants/fixed.config.ts'], { WORD: 'word' })
  assert.match(lost.message, /plugins: WORD is set, but the variant says otherwise/)
})

test('the arch of a config reaches the config’s own function', async () => {
  const one = project(`import { defineConfig } from '@zos/core'
import * as local from './plugins.ts'
export default defineConfig(({ arch }) => ({ name: 'demo', arch: 'aarch64', plugins: [local.demo({ greeting: arch })] }))\n`)
  const config = await shown(one)
  assert.is(config.arch, 'aarch64')
  assert.is(config.plugins.demo.options.greeting, 'aarch64')
})

test('variables with values that they cannot have are errors that name them', async () => {
  const one = project(configOf(`local.demo({ greeting: 'hello' })`))
  const codeOf = async (env: Record<string, string>): Promise<string> => {
    const { code, message, exit } = await one.failure([], env)
    assert.is(exit, 3)
    return `${code} ${message}`
  }
  assert.is(await codeOf({ BUILDMODE: 'fast' }), 'ENV_MODE BUILDMODE=fast: expected debug or release')
  assert.is(await codeOf({ TARGETARCH: 'riscv' }), 'ENV_ARCH TARGETARCH=riscv: expected amd64 or arm64')
  assert.is(await codeOf({ DEMO_LOUD: 'yes' }), 'ENV_BOOLEAN DEMO_LOUD=yes: expected true, false, 1 or 0')
  assert.is(await codeOf({ DEMO_COUNT: 'many' }), 'ENV_NUMBER DEMO_COUNT=many: expected a number')
  assert.match(await codeOf({ SOURCE_DATE_EPOCH: '-1' }), /ENV_EPOCH SOURCE_DATE_EPOCH=-1/)
  assert.match(await codeOf({ DEMO_COUNT: '0' }), /CONFIG_INVALID.*plugins\.demo\.count: .*>=1/s)
  for (const words of [
    ['--mode', 'fast'],
    ['--arch', 'mips'],
    ['--jobs', 'x'],
    ['--jobs', '0'],
    ['--executor', 'chroot'],
  ])
    assert.is((await one.failure(words)).exit, 2, words.join(' '))
})

test('all problems of all plugins come in one report, with dotted paths', async () => {
  const one = project(
    configOf(
      `local.demo({ greting: 'x', deep: { iner: 1 }, list: ['a', 2], count: Number.NaN }),
       local.demo.as('second', { greeting: () => 'x', deep: new Date(), key: 'plain', loud: 1n }), { not: 'a plugin' }`,
      `, initramfs: { compression: 'lzma', level: 1.5 }, colour: 'red'`,
    ),
  )
  assert.equal((await problems(one)).sort(), [
    'colour: unknown option',
    'initramfs.compression: expected ("xz" | "zstd" | "gzip" | "none"), found "lzma"',
    'initramfs.level: expected a whole number',
    'plugins.2: expected what a plugin factory returns, such as debian({ … }), found {"not":"a plugin"}',
    'plugins.demo.count: expected a finite number, found NaN',
    'plugins.demo.deep.iner: unknown option; did you mean "inner"?',
    'plugins.demo.greeting: is missing; expected string',
    'plugins.demo.greting: unknown option; did you mean "greeting"?',
    'plugins.demo.list.1: expected string, found 2',
    'plugins.second.deep: expected plain data, found a Date',
    'plugins.second.greeting: expected plain data, found a function',
    'plugins.second.key: expected secret(\'NAME_OF_VARIABLE\'), found "plain"',
    'plugins.second.loud: expected plain data, found a bigint',
  ])
})

test('references to plugins that are not there, and ids that cannot be, are problems', async () => {
  const one = project(
    `import { defineConfig } from '@zos/core'
import * as local from './plugins.ts'
const made = local.maker({})
const away = local.maker.as('away', {})
export default defineConfig({ name: 'Demo!', plugins: [
  made, local.demo({ greeting: 'a', from: made.made }), local.demo({ greeting: 'b', from: away.made }),
  local.demo.as('a/b', { greeting: 'c', from: made }), local.demo.as('core', { greeting: 'd' }),
] })\n`,
    { 'variants/small.config.ts': variant(`plugins: { maker: false, dem: { greeting: 'x' } }`) },
  )
  assert.equal(await problems(one), [
    'name: expected lower-case letters, digits, "-", "_" and "."',
    "plugins.demo: two plugins have this id; give another: factory.as('demo-2', { … })",
    'plugins.a/b: expected an id of lower-case letters, digits, "-", "_" and "."',
    "plugins.core: this id is the core’s own; give another: factory.as('core-2', { … })",
    'plugins.demo.from: refers to away.tree, but no such plugin is in the config',
    'plugins.a/b.from: expected a reference such as maker.…, found the whole plugin',
  ])
  const small = await problems(one, ['-c', 'variants/small.config.ts'])
  assert.ok(small.includes('plugins.dem: the base has no such plugin; did you mean "demo"?'), small.join('\n'))
  assert.ok(small.includes('plugins.demo.from: refers to maker.tree, but the variant switches that plugin off'))
})

test('a plugin without a schema of its options is told so', async () => {
  const one = new Project({
    'zos.config.ts': configOf('local.bare()'),
    'plugins.ts': pluginsFile("export const bare = definePlugin<any>()({ ...base, name: 'bare', apply() {} } as any)"),
  })
  assert.equal(await problems(one), [
    'plugins.bare: its definition has no `options`: expected a valibot schema, v.strictObject({}) for none',
  ])
})

test('levels fit the compression', async () => {
  for (const [compression, level, most] of [
    ['xz', 10, 9],
    ['gzip', 10, 9],
    ['gzip', 0, 9],
    ['zstd', 0, 22],
  ] as const) {
    const one = project(
      configOf(`local.demo({ greeting: 'a' })`, `, initramfs: { compression: '${compression}', level: ${level} }`),
    )
    const least = compression === 'xz' ? 0 : 1
    assert.equal(await problems(one), [
      `initramfs.level: expected ${least} to ${most} for ${compression}, found ${level}`,
    ])
  }
})

test('a config without plugins, or of another kind, is told so', async () => {
  const one = project(`import { defineConfig } from '@zos/core'\nexport default defineConfig({ name: 'demo' })\n`, {
    'variants/small.config.ts': variant(`plugins: { demo: { greeting: 'x' } }`),
    'nothing.config.ts': `import { defineConfig } from '@zos/core'\nexport default defineConfig(() => undefined)\n`,
  })
  assert.equal(await problems(one), ['plugins: is missing; expected Array'])
  assert.equal(await problems(one, ['-c', 'variants/small.config.ts']), ['plugins: is missing; expected Array'])
  assert.is((await one.failure(['-c', 'nothing.config.ts'])).code, 'CONFIG_EXPORT')
})

test('a file that is missing, or exports something else, is named', async () => {
  const one = new Project({
    'plain.config.ts': 'export default { name: 1 }\n',
    'none.config.ts': 'export const x = 1\n',
  })
  const failure = async (...words: string[]): Promise<string> => {
    const { code, message, exit } = await one.failure(words)
    assert.is(exit, 3)
    return `${code} ${message}`
  }
  assert.match(await failure(), /^CONFIG_MISSING no zos\.config\.ts in /)
  assert.is(await failure('-c', 'gone.config.ts'), 'CONFIG_MISSING gone.config.ts: no such config file')
  assert.match(await failure('-c', 'plain.config.ts'), /^CONFIG_EXPORT plain\.config\.ts: expected `export default/)
  assert.match(await failure('-c', 'none.config.ts'), /^CONFIG_EXPORT none\.config\.ts/)
  assert.match(await failure('-c', 'package.json'), /^CONFIG_NAME package\.json: expected a name such as/)
})

test('what cannot be loaded says file and line', async () => {
  const one = project(`import { defineConfig } from '@zos/core'\n\nexport default defineConfig({ name: 'demo',, })\n`, {
    'throws.config.ts': `import { defineConfig } from '@zos/core'\nconst x = undefined\nexport default defineConfig({ name: x.y, plugins: [] })\n`,
    'function.config.ts': `import { defineConfig } from '@zos/core'\nexport default defineConfig(() => {\n  throw new Error('not today')\n})\n`,
    'import.config.ts': `import { nothing } from '@zos/never'\nexport default nothing\n`,
  })
  const loaded = async (...words: string[]): Promise<string> => {
    const { code, message } = await one.failure(words)
    assert.is(code, 'CONFIG_LOAD')
    return String(message)
  }
  assert.match(await loaded(), /zos\.config\.ts.*3:4/s)
  assert.match(await loaded('-c', 'throws.config.ts'), /'y'.*throws\.config\.ts:3:/s)
  assert.match(await loaded('-c', 'function.config.ts'), /not today.*function\.config\.ts:3:/s)
  assert.match(await loaded('-c', 'import.config.ts'), /@zos\/never/)
})

test('secrets are shown by name only', async () => {
  const one = project(
    `import { defineConfig, secret } from '@zos/core'
import * as local from './plugins.ts'
export default defineConfig({ name: 'demo', plugins: [local.demo({ greeting: 'a', key: secret('DEMO_KEY') })] })\n`,
  )
  const { out } = await one.run(['config'], { DEMO_KEY: 'hunter2-secret' })
  assert.match(out, /"key": "••• \(DEMO_KEY\)"/)
  assert.not.match(out, /hunter2/)
})

test('a config in another language than TypeScript works too', async () => {
  const one = new Project({
    'zos.config.mjs': `import { defineConfig } from '@zos/core'\nexport default defineConfig({ name: 'plain', plugins: [] })\n`,
  })
  const config = await shown(one)
  assert.is(config.name, 'plain')
  assert.is(config.lockFile, one.path('zos.lock'))
  assert.is(config.outputFolder, one.path('dist'))
})

test.run()
