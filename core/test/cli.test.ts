// The command line: commands, options, exit codes, and what is printed.
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configOf, eventsOf, Project, pluginsFile } from './temporary-project.js'

const project = new Project({
  'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: 'none' }`),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => plan.component({ name: 'thing', kind: 'demo', options: {} }))
  hooks.build.for('demo').tap('make', async () => ({ facts: { n: 1 } }))
  hooks.assemble.tap('unit', async (tree, ctx) => {
    if (ctx.project.env('DEMO_FAIL')) throw new Error('as asked')
    return tree.delta().file('/unit', await ctx.project.text('unit.txt'))
  })
  hooks.assemble.tap('facts', async (tree, ctx) => tree.delta().file('/facts', JSON.stringify((await ctx.artifact(ref(id, 'thing'))).facts)))
  hooks.optimize.tap('strip', async (tree) => tree.delta())
  hooks.check.tap('all', async (tree) => (tree.all(), []))
}, { needs: [
  { tool: 'sh', install: 'apt-get install dash' },
  { tool: 'zos-never', version: '4.2', install: 'apt-get install never' },
  { tool: 'zos-perhaps', install: 'apt-get install perhaps', optional: true },
] })`),
  'unit.txt': 'unit',
})
const steps = ['demo/all', 'demo/facts', 'demo/strip', 'demo/thing', 'demo/unit', 'initramfs.cpio']

const failing = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await project.run(words)
  assert.is(out, '')
  assert.ok(code !== 0)
  return `${code} ${err}`
}

test('help names every command, and of a command its options and examples', async () => {
  const { code, out } = await project.run(['--help'])
  assert.is(code, 0)
  for (const name of ['init', 'build', 'steps', 'explain', 'lock', 'update', 'config', 'doctor', 'clean'])
    assert.match(out, new RegExp(`^ {2}${name} +\\S`, 'm'))
  const { code: none, out: overview } = await project.run([])
  assert.equal([none, overview], [2, out])
  for (const word of ['--help', '-h']) {
    const { out: build } = await project.run(['build', word])
    for (const option of [
      '--rebuild-from STEP',
      '--force-rebuild',
      '--clean',
      '--offline',
      '--frozen',
      '--jobs N',
      '--json',
    ])
      assert.ok(build.includes(`  ${option} `), option)
    assert.match(build, /Examples:\n {2}zos build\n/)
  }
  assert.match((await project.run(['--version'])).out, /^zos \d+\.\d+\.\d+\n$/)
})

test('a wrong word ends with 2, and says what may have been meant', async () => {
  assert.is(
    await failing('biuld'),
    '2 error CLI_COMMAND\n  zos has no command biuld; did you mean "build"?\n  hint: zos --help\n',
  )
  assert.is(
    await failing('build', '--jbos', '2'),
    '2 error CLI_OPTION\n  zos build has no option --jbos; did you mean "jobs"?\n  hint: zos build --help\n',
  )
  assert.match(await failing('build', '--jobs'), /^2 error CLI_USAGE\n/)
  assert.match(await failing('build', '-x'), /^2 error CLI_USAGE\n/)
  assert.match(
    await failing('build', '--jobs', '1.5'),
    /^2 error CLI_NUMBER\n {2}--jobs 1\.5: expected a whole number\n/,
  )
  assert.match(await failing('build', '--jobs=0'), /^2 error CLI_JOBS\n/)
  assert.match(await failing('build', '--json=yes'), /^2 error CLI_/)
  assert.match(await failing('explain'), /^2 error CLI_USAGE\n/)
  assert.match(await failing('build', '--rebuild-from=pakc'), /^2 error STEP_UNKNOWN\n.*did you mean "pack"\?/)
})

test('before the first build: steps and explain say what to do', async () => {
  const { code, out } = await project.run(['steps'])
  assert.equal([code, out], [0, 'demo has not been built here yet: zos build\n'])
  assert.match(await failing('explain', 'demo/unit'), /^2 error STEP_UNKNOWN\n.*\n {2}hint: build first: zos build\n$/)
})

test('a build says its phases, what ran and why, and the outputs', async () => {
  const { code, out } = await project.run(['build'])
  assert.is(code, 0)
  assert.match(out, /^demo \(zos\.config\.ts, debug, x86_64\) {2}lock is made\n {2}resolve /)
  for (const phase of ['fetch', 'build', 'assemble', 'optimize', 'check', 'pack'])
    assert.match(out, new RegExp(`^ {2}${phase} `, 'm'))
  assert.match(out, /^ {2}outputs in dist\/ +size +was +sha256$/m)
  assert.match(out, /^ {4}initramfs\.cpio .* B {2,}new {2}[0-9a-f]{8}…$/m)
  assert.match(out, /^ {2}6 steps: 0 from the store, 6 run, \d/m)
  assert.match(out, /^ {4}demo\/unit +first time$/m)
  assert.not.ok(out.includes('\u001b'))
  assert.match(project.text('dist/build.log'), /demo\/unit/)
  project.write({ 'unit.txt': 'more than before' })
  const { out: second } = await project.run(['build'])
  assert.match(second, / {2}6 steps: 3 from the store, 3 run, /)
  assert.match(second, /^ {4}demo\/unit +unit\.txt changed$/m)
  assert.match(second, /^ {4}initramfs\.cpio .* B +\d+ B {2}/m)
})

test('every line of --json is JSON, and its end says how it went', async () => {
  const { out } = await project.run(['build', '--json', '--force-rebuild'])
  const events = eventsOf(out)
  assert.is(events[0]?.event, 'start')
  assert.is(events.at(-1)?.event, 'finish')
  assert.equal(
    events
      .at(-1)
      ?.steps.map(({ step }: { step: string }) => step)
      .sort(),
    steps,
  )
  const { out: failed, code } = await project.run(['build', '--json'], { DEMO_FAIL: '1' })
  assert.is(code, 1)
  const { event, code: error, plugin, hook, subject, message } = eventsOf(failed).at(-1)!
  assert.equal([event, error, plugin, hook, subject], ['error', 'PLUGIN_FAILED', 'demo', 'assemble', 'demo/unit'])
  assert.match(message, /as asked/)
  for (const words of [['steps'], ['explain', 'demo/unit'], ['config'], ['lock'], ['doctor'], ['clean', '--store']]) {
    const { out: text } = await project.run([...words, '--json'])
    assert.ok(eventsOf(text).length > 0, words.join(' '))
  }
  await project.run(['build'])
})

test('a failed build is in the log and in the history, and the next one succeeds', async () => {
  const { code, err, out } = await project.run(['build'], { DEMO_FAIL: '1' })
  assert.is(code, 1)
  assert.match(err, /^error PLUGIN_FAILED \[demo, assemble\] demo\/unit\n {2}as asked\n {2}at .*\n {2}hint: /)
  assert.match(out, /demo\/unit: failed/)
  assert.match(project.text('dist/build.log'), /error PLUGIN_FAILED/)
  assert.match((await project.run(['steps'])).out, /^demo: last build failed, /)
  assert.is((await project.run(['build'])).code, 0)
  assert.match((await project.run(['steps'])).out, /^demo: last build succeeded, /)
})

test('DEBUG=1 shows each step, and what comes from the store', async () => {
  const { out } = await project.run(['build'], { DEBUG: '1' })
  assert.match(out, /^ {2}assemble {2}demo\/facts: from the store$/m)
})

test('--force-rebuild and --rebuild-from run what they say', async () => {
  const ran = async (...words: string[]): Promise<string[]> => Object.keys((await project.quick(words)).ran).sort()
  assert.equal(await ran('--force-rebuild'), steps)
  assert.equal(await ran('--rebuild-from=check'), ['demo/all', 'initramfs.cpio'])
  assert.equal(await ran('--rebuild-from=demo/unit'), ['demo/all', 'demo/strip', 'demo/unit', 'initramfs.cpio'])
  assert.equal(await ran('--rebuild-from=initramfs.cpio'), ['initramfs.cpio'])
  // Classic names stand for phases.
  assert.equal(await ran('--rebuild-from=initramfs_create'), ['initramfs.cpio'])
  assert.equal(await ran('--rebuild-from=components_build'), steps)
  assert.equal(Object.keys((await project.quick([], { REBUILD_FROM_STAGE: 'cleanup' })).ran).sort(), [
    'demo/all',
    'demo/strip',
    'initramfs.cpio',
  ])
  assert.equal(Object.keys((await project.quick([], { FORCE_REBUILD: 'true' })).ran).sort(), steps)
  const { code, message, exit } = await project.failure(['--rebuild-from=demo/unti'])
  assert.equal([code, exit], ['STEP_UNKNOWN', 2])
  assert.match(message, /did you mean "demo\/unit"\?/)
})

test('steps, --show-stages and explain tell of the last build', async () => {
  project.write({ 'unit.txt': 'again another' })
  await project.run(['build'])
  const { out } = await project.run(['steps'])
  for (const step of steps) assert.match(out, new RegExp(`^ {2}${step} `, 'm'))
  assert.match(out, /^ {2}demo\/unit +ran +\d+\.\d s {2}unit\.txt changed$/m)
  assert.match(out, /^ {2}demo\/facts +from the store/m)
  const { out: stages } = await project.run(['--show-stages'])
  for (const stage of ['alpine_extract', 'kernel_build', 'initramfs_create'])
    assert.match(stages, new RegExp(`^ {2}${stage} `, 'm'))
  assert.ok(stages.endsWith(out))
  const { out: why } = await project.run(['explain', 'demo/unit'])
  assert.match(
    why,
    /^demo\/unit ran on \d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d+\.\d s\) because\n {2}unit\.txt changed\n {4}line 1: .*\nand not because of: .*\nit looks at: .*unit\.txt/,
  )
  assert.match(why, /2 steps followed: demo\/all, initramfs\.cpio\n$/)
  assert.match(await failing('explain', 'demo/unti'), /did you mean: demo\/unit/)
})

test('doctor names what is missing, who wants it, and how to get it', async () => {
  const { code, out } = await project.run(['doctor'])
  assert.is(code, 6)
  assert.match(out, /^ {2}ok {4}node \d+.* sh/m)
  assert.match(out, /^ {2}miss {2}zos-never ≥ 4\.2 +wanted by demo +apt-get install never$/m)
  assert.match(out, /^ {2}miss {2}zos-perhaps +wanted by demo, optional +apt-get install perhaps$/m)
})

test('clean removes outputs, and with --store what builds remember', async () => {
  assert.ok(existsSync(project.path('.zos/v2')))
  const { out } = await project.run(['clean'])
  assert.is(out, 'removed the outputs in dist/\n')
  assert.not.ok(existsSync(project.path('dist')))
  assert.equal(Object.keys((await project.quick()).ran), [])
  await project.run(['clean', '--store'])
  assert.not.ok(existsSync(project.path('.zos')))
  assert.equal(Object.keys((await project.quick()).ran).sort(), steps)
  assert.equal(Object.keys((await project.quick(['--clean'])).ran).sort(), steps)
})

test('ZOS_STORE names another store', async () => {
  assert.equal(Object.keys((await project.quick([], { ZOS_STORE: 'elsewhere' })).ran).sort(), steps)
  assert.ok(existsSync(project.path('elsewhere/v2/store.sqlite')))
  assert.equal(Object.keys((await project.quick([], { ZOS_STORE: project.path('elsewhere') })).ran), [])
})

test('init starts a project, and leaves what is there alone', async () => {
  const empty = new Project({ '.gitignore': 'mine\n' })
  const { code, out } = await empty.run(['init', 'my-image'])
  assert.is(code, 0)
  assert.is(
    out,
    '  kept  package.json\n  new   zos.config.ts\n  kept  .gitignore\nnext: npm install, then zos doctor, then zos build\n',
  )
  assert.match(empty.text('zos.config.ts'), /name: 'my-image'/)
  assert.is(empty.text('.gitignore'), 'mine\n')
  const { code: again, err } = await empty.run(['init', 'other'])
  assert.equal([again, err.split('\n')[0]], [2, 'error INIT_EXISTS'])
  const other = new Project({})
  assert.equal(
    [(await other.run(['init', 'Not Good'])).code, readdirSync(other.root).includes('zos.config.ts')],
    [2, false],
  )
  const two = await other.run(['init', 'one', 'two'])
  assert.match(two.err, /^error CLI_USAGE\n {2}zos init wants one name, not 2\n/)
  const plugins = await other.run(['init', 'plugin', 'one', 'two'])
  assert.match(plugins.err, /^error CLI_USAGE\n {2}zos init plugin wants one name\n/)
  assert.equal(readdirSync(other.root).includes('one'), false)
})

test('the program: exit code, a pipe that closes early, an unwritable output folder', async () => {
  const run = await project.zos(['biuld'])
  assert.is(run.code, 2)
  assert.match(run.err, /^error CLI_COMMAND/)
  const closed = await project.zos(['config'], { onStart: (child) => child.stdout?.destroy() })
  assert.equal([closed.code, closed.err], [0, ''])
  project.remove('dist')
  project.write({ dist: 'a file' })
  const { code, exit, hint } = await project.failure()
  assert.equal([code, exit], ['OUTPUT_FOLDER', 1])
  assert.ok(hint.length > 0)
})

test.run()
