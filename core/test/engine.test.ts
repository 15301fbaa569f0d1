// What plugins get wrong, and what the build says then; the order of taps, wishes, actions and outputs.
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, type Event, Project, pluginsFile } from './temporary-project.js'

/** A project with one plugin `demo`, given as the body of its `apply`, and further plugins. */
const projectOf = (apply: string, more = '', plugins = 'local.demo({})', config = ''): Project =>
  new Project({
    'zos.config.ts': configOf(plugins, `, initramfs: { compression: 'none' }${config}`),
    'plugins.ts': pluginsFile(`export const demo = plugin('demo', (hooks, options, { id }) => {${apply}})\n${more}`),
  })

const failure = (...args: Parameters<typeof projectOf>): Promise<Event> => projectOf(...args).failure()

const componentOf = (body: string, needs = ''): string => `
  hooks.resolve.tap('plan', (plan) => { plan.component({ name: 'thing', kind: 'demo', options: {}${needs} }) })
  hooks.build.for('demo').tap('make', async (component, ctx) => { ${body} })`

const actionOf = (action: string): string =>
  componentOf(`const toolchain = await ctx.host({ tools: ['sh'] })
    const made = await ctx.run({ name: 'act', toolchain, inputs: {}, outputs: ['out'], ${action} })
    return { trees: { tree: made.tree }, facts: { said: made.stdout } }`)

test('an error of a tap names plugin, hook, subject and line', async () => {
  const error = await failure(`hooks.assemble.tap('files', async () => { throw new Error('two\\nlines') })`)
  assert.is(error.code, 'PLUGIN_FAILED')
  assert.is(error.exit, 1)
  assert.equal([error.plugin, error.hook, error.subject], ['demo', 'assemble', 'demo/files'])
  assert.match(error.message, /^two\nlines\n {2}at .*plugins\.ts:6:/)
  assert.match(error.hint[0], /defect of the plugin demo/)
  const component = await failure(componentOf(`throw new Error('no')`))
  assert.equal([component.plugin, component.hook, component.subject], ['demo', 'build', 'demo/thing'])
  const resolve = await failure(`hooks.resolve.tap('plan', () => { null.x })`)
  assert.equal([resolve.code, resolve.hook, resolve.subject], ['PLUGIN_FAILED', 'resolve', 'plan'])
})

test('an error of a plugin’s own keeps its code, and gets the place', async () => {
  const error = await failure(
    `hooks.assemble.tap('files', async (tree, ctx) => tree.delta().file('/x', await ctx.project.text('gone.txt')))`,
  )
  assert.equal([error.code, error.plugin, error.hook], ['FILE_MISSING', 'demo', 'assemble'])
  const outside = await failure(
    `hooks.assemble.tap('f', async (tree, ctx) => tree.delta().file('/x', await ctx.project.text('../x')))`,
  )
  assert.is(outside.code, 'PROJECT_PATH')
})

test('a tap of any hook that gives nothing back is an error', async () => {
  const output = `hooks.resolve.tap('o', (plan) => plan.output({ name: 'o.bin', format: 'o', options: {} }))`
  const source = (taps: string): string =>
    `hooks.resolve.tap('s', (plan) => plan.source('s', { kind: 'own', at: 1 }));${taps}`
  const cases: readonly (readonly [string, string])[] = [
    ['assemble', `hooks.assemble.tap('t', async () => {})`],
    ['optimize', `hooks.optimize.tap('t', async () => null)`],
    ['check', `hooks.check.tap('t', async () => {})`],
    ['build', componentOf('')],
    ['pack', `${output}; hooks.pack.for('o').tap('t', async () => {})`],
    [
      'fetch',
      source(`hooks.pin.for('own').tap('p', async () => null); hooks.fetch.for('own').tap('f', async () => {})`),
    ],
    ['pin', source(`hooks.pin.for('own').tap('p', async () => {}); hooks.fetch.for('own').tap('f', async () => ({}))`)],
  ]
  for (const [hook, apply] of cases) {
    const error = await failure(apply)
    assert.equal([error.code, error.plugin, error.hook], ['TAP_NOTHING', 'demo', hook], JSON.stringify(error))
  }
  assert.is((await failure(`hooks.assemble.tap('t', async (tree) => tree.all())`)).code, 'TAP_DELTA')
})

test('two owners of a path are named, unless the delta says over what it goes', async () => {
  const taps = `
    hooks.assemble.tap('one', async (tree) => tree.delta().file('/etc/x', 'one'))
    hooks.assemble.tap('two', async (tree) => tree.delta().file('/etc/y', 'y'))`
  const other = (over: string): string =>
    `export const other = plugin('other', (hooks) => hooks.assemble.tap('x', async (tree) => tree.delta(${over}).file('/etc/x', 'two')))`
  const error = await failure(taps, other(''), 'local.demo({}), local.other({})')
  assert.equal([error.code, error.plugin, error.subject], ['TREE_CONFLICT', 'other', '/etc/x'])
  assert.match(error.message, /demo/)
  await projectOf(taps, other(`{ over: ['demo'] }`), 'local.demo({}), local.other({})').quick()
})

test('taps run in config order, between those that say pre and post', async () => {
  const one = (name: string, order = ''): string =>
    `export const ${name} = plugin('${name}', (hooks) => hooks.assemble.tap(${
      order ? `{ name: 'add', order: '${order}' }` : `'add'`
    }, async (tree) => tree.delta({ over: 'any' }).file('/order', (tree.get('/order') ? await tree.text('/order') : '') + '${name} ')))`
  const project = projectOf(
    `hooks.assemble.tap('none', async (tree) => tree.delta())`,
    [one('late', 'post'), one('first'), one('early', 'pre'), one('second')].join('\n'),
    'local.late({}), local.second({}), local.demo({}), local.first({}), local.early({})',
  )
  await project.quick()
  assert.match(project.bytes('dist/initramfs.cpio').toString('latin1'), /early second first late /)
})

test('wishes are settled by their owner, sorted, with who wished', async () => {
  const token = `export const things = wishToken<string>('demo/things')`
  const wisher = (name: string, value: string): string =>
    `export const ${name} = plugin('${name}', (hooks) => hooks.resolve.tap('wish', (plan) => plan.wish(things, '${value}')))`
  const wishers = [token, wisher('zed', 'b'), wisher('amy', 'a')].join('\n')
  const owner = (settle: string): string => `hooks.resolve.tap('own', (plan) => plan.own(things, (wishes) => ${settle}))
    hooks.assemble.tap('show', async (tree, ctx) => tree.delta().file('/wishes', JSON.stringify(ctx.settled(things))))`
  const all = 'local.zed({}), local.amy({}), local.demo({})'
  const project = projectOf(owner(`wishes`), wishers, all)
  await project.quick()
  assert.ok(project.bytes('dist/initramfs.cpio').includes('[{"value":"a","by":"amy"},{"value":"b","by":"zed"}]'))
  const unowned = await failure(`hooks.assemble.tap('none', async (tree) => tree.delta())`, wishers, all)
  assert.equal([unowned.code, unowned.exit], ['WISH_UNOWNED', 3])
  assert.is(unowned.message, 'zed, amy wishes for demo/things, and no plugin of this config owns that')
  const contradiction = await failure(
    owner(`{ throw new Error(wishes.map(({ by }) => by).join(' against ')) }`),
    wishers,
    all,
  )
  assert.equal(
    [contradiction.code, contradiction.plugin, contradiction.subject],
    ['PLUGIN_FAILED', 'demo', 'demo/things'],
  )
  assert.match(contradiction.message, /amy against zed/)
  const second = `export const second = plugin('second', (hooks) => hooks.resolve.tap('own', (plan) => plan.own(things, () => [])))`
  const owners = await failure(owner('[]'), `${wishers}\n${second}`, `${all}, local.second({})`)
  assert.equal([owners.code, owners.message], ['WISH_OWNERS', 'both demo and second own the wishes for demo/things'])
})

test('what is declared twice is an error', async () => {
  const twice = (declare: string): Promise<Event> =>
    failure(`hooks.resolve.tap('plan', (plan) => { for (const _ of [1, 2]) ${declare} })`)
  assert.is((await twice(`plan.source('s', path('x'))`)).message, 'source demo/s is declared twice')
  assert.is(
    (await twice(`plan.component({ name: 'c', kind: 'x', options: {} })`)).message,
    'component demo/c is declared twice',
  )
  assert.is(
    (await twice(`plan.pin({ name: 'p', request: () => 1, answer: async () => 1, then: () => {} })`)).message,
    'pin demo/p is declared twice',
  )
  assert.is((await twice(`plan.output({ name: 'o', format: 'x', options: {} })`)).code, 'OUTPUT_TWICE')
})

test('kinds that nobody makes are known before anything is fetched or built', async () => {
  const plan = (declare: string): Promise<Event> =>
    failure(`hooks.resolve.tap('plan', (plan) => { plan.component({ name: 'slow', kind: 'slow', options: {} }); ${declare} })
      hooks.build.for('slow').tap('make', async () => { throw new Error('this came too late') })`)
  const code = async (declare: string): Promise<string> => {
    const { code, message, exit } = await plan(declare)
    assert.ok(exit === 3 || exit === 2 || code.endsWith('_CYCLE') || code === 'OUTPUT_NAME', `${code} ${exit}`)
    return `${code} ${message}`
  }
  assert.match(await code(`plan.source('s', { kind: 'own' })`), /^SOURCE_KIND .* own \(demo\/s\)$/)
  assert.match(
    await code(`plan.component({ name: 'c', kind: 'own', options: {} })`),
    /^COMPONENT_KIND .* own \(demo\/c\)$/,
  )
  assert.match(await code(`plan.output({ name: 'o', format: 'own', options: {} })`), /^OUTPUT_FORMAT .* own \(o\)$/)
  const slow = (name: string, needs: string): string =>
    `plan.component({ name: '${name}', kind: 'slow', options: {}, needs: [${needs}] })`
  assert.match(
    await code(slow('a', `ref('other', 'x')`)),
    /^COMPONENT_UNKNOWN demo\/a needs other\/x, which no plugin declares$/,
  )
  assert.match(
    await code(`${slow('a', `ref(id, 'b')`)}; ${slow('b', `ref(id, 'c')`)}; ${slow('c', `ref(id, 'b')`)}`),
    /^COMPONENT_CYCLE components need each other: demo\/b → demo\/c → demo\/b$/,
  )
  const output = (name: string, from: string): string =>
    `plan.output({ name: '${name}', format: 'initramfs', options: {}, from: [${from}] })`
  assert.match(
    await code(output('o', `'nothing'`)),
    /^OUTPUT_UNKNOWN o asks for the output nothing, which no plugin makes$/,
  )
  assert.match(
    await code(`${output('a', `'initramfs', 'b'`)}; ${output('b', `'initramfs', 'a'`)}`),
    /^OUTPUT_CYCLE outputs need each other: a → b → a$/,
  )
  for (const name of ['../x', '/etc/passwd', 'a/../../x', '', 'manifest.json', 'a b', '.hidden', 'x/'])
    assert.match(await code(output(name, '')), /^OUTPUT_NAME /, name)
})

test('an output that was asked for by a wrong name is known at once', async () => {
  const error = await projectOf(componentOf(`throw new Error('this came too late')`)).failure(['initramfs.cpo'])
  assert.equal([error.code, error.exit], ['OUTPUT_UNKNOWN', 2])
})

test('a component asks for what it said that it needs', async () => {
  const other = `export const other = plugin('other', (hooks, _options, { id }) => {
    hooks.resolve.tap('plan', (plan) => plan.component({ name: 'thing', kind: 'other', options: {}, needs: [ref('demo', 'thing')] }))
    hooks.build.for('other').tap('make', async (_component, ctx) => {
      const { facts } = await ctx.artifact(ref('demo', 'thing'))
      return { facts: { twice: [facts.n, facts.n] } }
    })
    hooks.assemble.tap('show', async (tree, ctx) => tree.delta().file('/facts', JSON.stringify((await ctx.artifact(ref(id, 'thing'))).facts)))
  })`
  const project = projectOf(componentOf('return { facts: { n: 1 } }'), other, 'local.demo({}), local.other({})')
  await project.quick()
  assert.ok(project.bytes('dist/initramfs.cpio').includes('{"twice":[1,1]}'))
  const own = await failure(componentOf(`return await ctx.artifact(ref('demo', 'thing'))`))
  assert.equal([own.code, own.message], ['COMPONENT_UNDECLARED', 'demo/thing did not say that it needs demo/thing'])
  const slot = await failure(`${componentOf('return { trees: {} }')}
    hooks.assemble.tap('t', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref('demo', 'thing', 'tree'))))`)
  assert.equal([slot.code, slot.message], ['ARTIFACT_SLOT', 'demo/thing gives no tree "tree"; it gives none'])
})

test('findings of all checks come in one report, warnings beside it', async () => {
  const finding = (level: string, code: string): string =>
    `{ level: '${level}', code: '${code}', subject: '/x', message: 'is wrong', hint: 'do better' }`
  const apply = `
    hooks.check.tap('one', async () => [${finding('error', 'B_TWO')}, ${finding('warning', 'C_THREE')}])
    hooks.check.tap('two', async () => [${finding('error', 'A_ONE')}])`
  const { code, message, hint, exit } = await failure(apply)
  assert.equal([code, exit, hint], ['CHECK_FAILED', 1, ['do better']])
  assert.is(message, '2 findings in the finished tree\n  A_ONE [demo] /x: is wrong\n  B_TWO [demo] /x: is wrong')
  const fine = await projectOf(`hooks.check.tap('one', async () => [${finding('warning', 'C_THREE')}])`).quick()
  const [warning] = fine.events.filter(({ event }) => event === 'warning')
  assert.equal([warning?.code, warning?.message, warning?.plugin], ['C_THREE', '/x: is wrong', 'demo'])
})

test('a check that throws does not hide that the others end first', async () => {
  const error = await failure(`
    hooks.check.tap('fast', async () => { throw new Error('fast') })
    hooks.check.tap('slow', async (tree, ctx) => { await new Promise((done) => setTimeout(done, 50)); return tree.list('/') && [] })`)
  assert.equal([error.code, error.subject], ['PLUGIN_FAILED', 'demo/fast'])
})

test('a failed action is told with its log, and is not remembered', async () => {
  const project = projectOf(actionOf(`command: ['sh', '-c', 'echo said; echo "x.c:1: error: no" >&2; exit 3']`))
  const first = await project.failure()
  assert.equal([first.code, first.exit, first.plugin, first.subject], ['ACTION_FAILED', 1, 'demo', 'demo/thing'])
  assert.match(first.message, /^act: x\.c:1: error: no$/)
  const log = readFileSync(first.data.log, 'utf8')
  assert.match(log, /^\$ sh -c .*\n/)
  assert.match(log, /said/)
  const again = await project.failure()
  assert.is(again.code, 'ACTION_FAILED')
  assert.equal(readdirSync(project.path('.zos/v2/work')), [])
})

test('an output that an action does not leave, or that lies outside, is an error', async () => {
  const missing = await failure(actionOf(`command: ['true']`))
  assert.equal([missing.code, missing.message], ['ACTION_OUTPUT', 'act ended well but left no out'])
  for (const path of ['../out', '/etc/passwd', 'a/../../x', '', '.'])
    assert.is(
      (await failure(actionOf(`command: ['true'], outputs: [${JSON.stringify(path)}]`))).code,
      'ACTION_PATH',
      path,
    )
  assert.is(
    (await failure(actionOf(`command: ['true'], inputs: { '../x': (await ctx.blobs.put('x')) }`))).code,
    'ACTION_PATH',
  )
  assert.is((await failure(actionOf(`command: ['true'], cwd: '../..'`))).code, 'ACTION_PATH')
})

test('outputs of an action are files, folders and links, with git’s modes', async () => {
  const project = projectOf(`${actionOf(
    `command: ['sh', '-c', 'mkdir -p out/d; echo x > out/d/f; chmod 700 out/d/f; ln -s d/f out/l; echo y > file; umask 077; echo z > one'], outputs: ['out', 'file', 'one']`,
  )}
    hooks.assemble.tap('t', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree'))))
    hooks.assemble.tap('list', async (tree, ctx) => tree.delta().file('/list', [...(await ctx.tree(ref(id, 'thing', 'tree'))).records()].map((r) => r.path + ' ' + r.kind + ' ' + r.mode.toString(8)).join(', ')))`)
  await project.quick()
  assert.ok(
    project
      .bytes('dist/initramfs.cpio')
      .includes(
        '/file file 644, /one file 644, /out directory 755, /out/d directory 755, /out/d/f file 755, /out/l symlink 777',
      ),
  )
})

test('outputs no longer made go, and those not asked for stay', async () => {
  const project = projectOf(`
    hooks.resolve.tap('o', (plan) => {
      for (const name of ['one.bin', 'deep/two.bin']) plan.output({ name, format: 'text', options: { text: name }, from: ['initramfs'] })
    })
    hooks.pack.for('text').tap('t', async (output, ctx) => ({
      blob: await ctx.blobs.put(output.options.text + (await ctx.output('initramfs')).blob.size), aliases: ['alias-' + output.name.split('/').at(-1)],
    }))`)
  const files = (): string[] =>
    readdirSync(project.path('dist'), { recursive: true })
      .map(String)
      .filter((name) => name !== 'deep')
      .sort()
  const all = [
    'alias-one.bin',
    'alias-two.bin',
    'build.log',
    'deep/two.bin',
    'initramfs.cpio',
    'manifest.json',
    'one.bin',
    'sbom.spdx.json',
  ]
  await project.quick(['one.bin'])
  assert.equal(files(), ['alias-one.bin', 'build.log', 'manifest.json', 'one.bin', 'sbom.spdx.json'])
  await project.quick(['deep/two.bin', 'initramfs'])
  assert.equal(files(), all)
  const manifest = JSON.parse(project.text('dist/manifest.json'))
  assert.equal(
    // biome-ignore lint/suspicious/noExplicitAny: the manifest as it lies on the disk.
    manifest.outputs.map(({ name }: any) => name),
    ['deep/two.bin', 'initramfs.cpio', 'one.bin', 'sbom.spdx.json'],
  )
  project.write({ 'dist/of-a-person.txt': 'mine' })
  project.edit('zos.config.ts', `'none'`, `'gzip'`)
  await project.built()
  assert.equal(
    files(),
    [...all, 'initramfs.cpio.gz', 'of-a-person.txt'].filter((name) => name !== 'initramfs.cpio').sort(),
  )
  const { out } = await project.run(['clean'])
  assert.match(out, /removed the outputs in dist\//)
  assert.equal(readdirSync(project.path('dist')), ['of-a-person.txt'])
})

test('secrets are in no log, store, error or image', async () => {
  const project = projectOf(
    `hooks.assemble.tap('t', async (tree, ctx) => tree.delta().file('/x', JSON.stringify(options)))
     hooks.publish.tap('p', async (ctx) => { ctx.warn('W', 'with ' + ctx.secret(options.key)); throw new Error('refused: ' + ctx.secret(options.key)) })`,
    '',
    'local.demo({ key: secret("DEMO_KEY") })',
  )
  project.edit('zos.config.ts', 'import { defineConfig }', 'import { defineConfig, secret }')
  const value = 'hunter2-is-the-key'
  const { out, err, code } = await project.run(['build', '--json', '--publish'], { DEMO_KEY: value })
  assert.is(code, 1)
  assert.match(out, /refused: •••/)
  assert.match(out, /with •••/)
  assert.not.ok(`${out}${err}`.includes(value))
  const files = readdirSync(project.root, { recursive: true, withFileTypes: true })
  for (const file of files)
    if (file.isFile() && !file.parentPath.includes('node_modules'))
      assert.not.ok(readFileSync(`${file.parentPath}/${file.name}`).includes(value), file.name)
  const missing = await project.failure(['--publish'])
  assert.equal([missing.code, missing.message], ['SECRET_MISSING', 'the secret DEMO_KEY is not set in the environment'])
})

test('a tap cannot read the variable of a secret', async () => {
  const project = projectOf(
    `hooks.assemble.tap('t', async (tree, ctx) => tree.delta().file('/x', ctx.project.env('DEMO_KEY') ?? ''))`,
    '',
    'local.demo({ key: secret("DEMO_KEY") })',
  )
  project.edit('zos.config.ts', 'import { defineConfig }', 'import { defineConfig, secret }')
  assert.is((await project.failure([], { DEMO_KEY: 'hunter2' })).code, 'SECRET_CLOSED')
})

test('receipts of publish are told', async () => {
  const project = projectOf(
    `hooks.publish.tap('p', async (ctx) => ctx.outputs.map(({ name, blob }) => ({ output: name, url: 'file:///' + name, sha256: blob.sha256 })))`,
  )
  assert.ok(!(await project.quick()).events.some(({ phase }) => phase === 'publish'))
  const { events } = await project.quick(['--publish'])
  assert.is(events.find(({ event, phase }) => event === 'phase' && phase === 'publish')?.summary, '2 receipts')
  const { receipts } = events.find(({ event }) => event === 'finish') as unknown as { receipts: { output: string }[] }
  assert.is(receipts.length, 2)
  assert.is(receipts[1]!.output, 'sbom.spdx.json')
})

test('publishing that finds no target is an error', async () => {
  const project = projectOf(`hooks.publish.tap('p', async () => [])`)
  const { code, out, err } = await project.run(['publish'])
  assert.is(code, 3, out)
  assert.match(err, /PUBLISH_NONE/)
})

test.run()
