// Actions through the engine: what they see of the machine, who runs them, how they end.
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Built, configOf, Project, pluginsFile } from './temporary-project.js'

/** A component for each action; what an action left in `out` is in the image at `/<component>`. */
const projectOf = (actions: Record<string, string>, spec = `{ tools: ['sh'] }`): Project =>
  new Project({
    'zos.config.ts': configOf('local.demo({})', `, initramfs: { compression: 'none' }`),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  const actions = { ${Object.entries(actions)
    .map(([name, action]) => `${name}: { ${action} }`)
    .join(', ')} }
  hooks.resolve.tap('plan', (plan) => {
    for (const name of Object.keys(actions)) plan.component({ name, kind: 'demo', options: { name } })
  })
  hooks.build.for('demo').tap('make', async ({ options: { name } }, ctx) => {
    const toolchain = await ctx.host(${spec})
    const made = await ctx.run({ name, toolchain, inputs: {}, outputs: ['out'], ...actions[name] })
    return { trees: { tree: made.tree }, facts: { said: made.stdout } }
  })
  for (const name of Object.keys(actions)) hooks.assemble.tap('place-' + name, async (tree, ctx) => tree.delta()
    .tree(await ctx.tree(ref(id, name, 'tree')), '/' + name)
    .file('/' + name + '/said', JSON.stringify((await ctx.artifact(ref(id, name))).facts)))
})`),
  })

const shell = (script: string): string => `command: ['sh', '-c', ${JSON.stringify(script)}]`
const image = (project: Project): string => project.bytes('dist/initramfs.cpio').toString('latin1')

/** Processes with a text in their command line. */
const running = (text: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
    } catch {
      return false
    }
  })

test('an action sees the fixed environment, its folder, and nothing of the host', async () => {
  const project = projectOf({
    look: shell(
      'env | sort > out; pwd >> out; umask >> out; date -d @0 +%H%Z >> out; ls -a $HOME | wc -l >> out; ls / | tr "\\n" " " >> out;' +
        `echo; ls -d /home /root /etc/passwd ${process.cwd()} >> out 2>&1; tail -n +3 /proc/net/dev | cut -d: -f1 >> out; cat /proc/net/route | wc -l >> out`,
    ),
  })
  await project.quick(['--jobs', '1'], {
    DEMO_LEAK: 'leaked',
    TZ: 'Asia/Tokyo',
    LANG: 'de_DE.UTF-8',
    HOME: '/somewhere',
  })
  const said = image(project)
  for (const text of [
    'CARGO_BUILD_JOBS=1\nHOME=/tmp/home\nLANG=C.UTF-8\nLOGNAME=zos\nMAKEFLAGS=-j1\n',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n',
    'SOURCE_DATE_EPOCH=315532800\nTMPDIR=/tmp\nTZ=UTC\nUSER=zos\n',
    '\n/build\n0022\n00UTC\n2\n',
  ])
    assert.ok(said.includes(text), `${text}\nnot in\n${said}`)
  assert.not.match(said, /leaked|Tokyo|de_DE|somewhere|zos-project/)
  for (const path of ['/home', '/root', '/etc/passwd', process.cwd()])
    assert.match(said, new RegExp(`cannot access '${path}': No such file`))
  // The loopback alone, and no route but the table's title.
  assert.match(said, /\n +lo\n1\n/)
})

test('a name is not resolved, and a server of the host is not reached', async () => {
  const project = projectOf({
    net: shell(
      '(getent hosts example.org && echo resolved; exec 3<>/dev/tcp/127.0.0.1/22 && echo reached) > out 2>&1; true',
    ),
  })
  await project.quick()
  assert.not.match(image(project), /resolved|reached/)
})

test('--jobs is no part of what is built; environment and folder of an action are', async () => {
  const project = projectOf({
    one: `${shell('date +%s%N > ../out; echo $WORD; pwd')}, env: { WORD: 'given' }, cwd: 'sub', inputs: { 'sub/file': await0 }`,
  })
  project.edit('plugins.ts', 'await0', `await ctx.blobs.put('x')`)
  project.edit('plugins.ts', 'const actions = {', 'const actionsOf = async (ctx) => (')
  project.edit('plugins.ts', ' } }\n  hooks.resolve', ' } })\n  const actions = { one: 1 }\n  hooks.resolve')
  project.edit('plugins.ts', `...actions[name]`, `...(await actionsOf(ctx))[name]`)
  project.edit('plugins.ts', '=> ( one: {', '=> ({ one: {')
  await project.quick(['--jobs', '1'])
  const first = image(project)
  assert.ok(first.includes('"given\\n/build/sub\\n"'))
  assert.equal((await project.quick(['--jobs', '4'])).ran, {})
  await project.quick(['--jobs', '4', '--rebuild-from=assemble'])
  assert.is(image(project), first)
})

test('progress counts units of work, out of as many as the last run of the step had', async () => {
  const project = projectOf({
    make: `${shell("echo '  CC  a'; echo a note; echo '  CC  b'; echo $WORD >out")}, unit: '^ +CC', env: { WORD: 'one' }`,
  })
  await project.built()
  assert.not.match(project.text('dist/build.log'), '/2')
  project.edit('plugins.ts', `WORD: 'one'`, `WORD: 'two'`)
  await project.built()
  const log = project.text('dist/build.log')
  for (const line of ['CC  a 1/2', 'a note 1/2', 'CC  b 2/2']) assert.match(log, line)
})

test('as many actions run at once as --jobs says', async () => {
  const script = 'date +%s%N > out; sleep 0.3; date +%s%N >> out'
  const project = projectOf({ a: shell(`: a; ${script}`), b: shell(`: b; ${script}`), c: shell(`: c; ${script}`) })
  /** The most actions that ran at the same time. */
  const atOnce = async (jobs: string): Promise<number> => {
    await project.quick(['--jobs', jobs, '--force-rebuild'])
    const spans = [...image(project).matchAll(/(\d{19})\n(\d{19})\n/g)].map(
      ([, from = '', to = '']) => [BigInt(from), BigInt(to)] as const,
    )
    assert.is(spans.length, 3)
    return Math.max(...spans.map(([at]) => spans.filter(([from, to]) => from <= at! && at! < to!).length))
  }
  assert.is(await atOnce('1'), 1)
  assert.is(await atOnce('3'), 3)
})

test('what the bare host made is never taken for what a sandbox makes, nor the other way round', async () => {
  const project = projectOf({ where: shell('pwd > out; date +%s%N >> out') })
  const built = async (...words: string[]): Promise<Built & { image: string }> => ({
    ...(await project.quick(words)),
    image: image(project),
  })
  const host = await built('--executor', 'host')
  assert.not.match(host.image, /\n\/build\n|^\/build/)
  assert.match(host.image, /v\d+\/work\//)
  const sandbox = await built()
  assert.is(sandbox.ran['demo/where'], 'the executor changed: host → bubblewrap')
  assert.not.match(sandbox.image, /v\d+\/work\//)
  const again = await built('--executor', 'host')
  assert.is(again.image, host.image)
  assert.equal(again.ran, {})
  assert.is((await built()).image, sandbox.image)
})

test('a tool in a folder of its own: place, change, loss', async () => {
  const project = projectOf({ use: `command: ['demo-tool', 'x']` })
  project.write({ 'bin/demo-tool': '#!/bin/sh\necho one $0 > out\n', 'bin/lib.txt': 'lib' })
  chmodSync(project.path('bin/demo-tool'), 0o755)
  project.edit(
    'plugins.ts',
    `ctx.host({ tools: ['sh'] })`,
    `ctx.host({ tools: ['demo-tool'], folders: { '/opt/demo': { from: ${JSON.stringify(project.path('bin'))}, identity: ['lib.txt'] } } })`,
  )
  project.edit('plugins.ts', '...actions[name]', `command: [toolchain.tools['demo-tool']]`)
  const env = { PATH: `${project.path('bin')}:${process.env.PATH}` }
  await project.quick([], env)
  assert.ok(image(project).includes('one /opt/demo/demo-tool\n'))
  assert.equal((await project.quick([], env)).ran, {})
  project.write({ 'bin/demo-tool': '#!/bin/sh\necho two $0 > out\n' })
  const changed = await project.quick([], env)
  assert.is(changed.ran['demo/use'], 'tools of the host changed: demo-tool')
  assert.ok(image(project).includes('two /opt/demo/demo-tool\n'))
  const [warning] = changed.events.filter(({ event }) => event === 'warning')
  assert.is(warning?.code, 'TOOLCHAIN_DIFFERS')
  project.write({ 'bin/lib.txt': 'other lib' })
  assert.is((await project.quick([], env)).ran['demo/use'], 'tools of the host changed: demo-tool')
  const missing = await project.failure()
  assert.equal(
    [missing.code, missing.exit, missing.plugin, missing.subject],
    ['HOST_TOOL_MISSING', 6, 'demo', 'demo/use'],
  )
  project.write({ 'bin/lib.txt': 'lib' })
  assert.equal((await project.quick([], env)).ran, {})
  rmSync(project.path('bin/lib.txt'))
  assert.ok((await project.failure([], env)).code.length > 0)
})

test('a tool that the sandbox would not show is an error', async () => {
  const project = projectOf({ use: `command: ['demo-hidden']` }, `{ tools: ['demo-hidden'] }`)
  project.write({ 'bin/demo-hidden': '#!/bin/sh\n' })
  chmodSync(project.path('bin/demo-hidden'), 0o755)
  const { code, exit } = await project.failure([], { PATH: `${project.path('bin')}:${process.env.PATH}` })
  assert.equal([code, exit], ['TOOLCHAIN_HIDDEN', 6])
})

/** Starts a build whose action sleeps; calls back when it does. */
const whileSleeping = async (
  mark: string,
  then: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<{ code: number | null; err: string; ms: number; project: Project }> => {
  const project = projectOf({ sleep: shell(`trap "" TERM INT; echo > out; sleep ${mark}; sleep ${mark}`) })
  let since = 0
  const { code, err } = await project.zos(['build'], {
    onStart: async (child) => {
      while (running(`sleep\0${mark}`).length === 0) await pause(20)
      since = performance.now()
      then((signal) => child.kill(signal))
    },
  })
  return { code, err, ms: performance.now() - since, project }
}

test('Ctrl-C ends the commands, and the program ends with 130', async () => {
  const mark = `97.${process.pid}`
  const { code, err, ms, project } = await whileSleeping(mark, (kill) => kill('SIGINT'))
  assert.is(code, 130)
  assert.is(err, 'interrupted; what was finished is in the store\n')
  assert.ok(ms < 6500, `${ms} ms`)
  assert.equal(running(`sleep\0${mark}`), [])
  assert.equal(readdirSync(project.path('.zos/v2/work')), [])
})

test('the commands of a program that is killed end with it', async () => {
  const mark = `98.${process.pid}`
  const { code } = await whileSleeping(mark, (kill) => kill('SIGKILL'))
  assert.is(code, null)
  for (let tries = 0; running(`sleep\0${mark}`).length > 0 && tries < 100; tries++) await pause(20)
  assert.equal(running(`sleep\0${mark}`), [])
})

test('a step that fails ends the others that run', async () => {
  const mark = `96.${process.pid}`
  const project = projectOf({
    fails: shell(`sleep 0.2; exit 3`),
    sleeps: shell(`echo > out; sleep ${mark}`),
  })
  const start = performance.now()
  assert.is((await project.failure(['--jobs', '2'])).code, 'ACTION_FAILED')
  assert.ok(performance.now() - start < 20_000)
  assert.equal(running(`sleep\0${mark}`), [])
})

test.run()
