// time limit: 240 s
// What the commands say that answer questions about a build: plan, explain, why, log, shell.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseCapsule } from '../dist/model/capsule.js'
import { answersProject } from './answers.js'
import { configOf, temporaryFolder } from './temporary-project.js'

const project = answersProject()
const said = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await project.run(words)
  assert.is(code, 0, `${words.join(' ')}: ${out}${err}`)
  return out
}
// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes; each test knows the one that it looks at.
const told = async (...words: string[]): Promise<any> => JSON.parse(await said(...words, '--json'))
const refused = async (...words: string[]): Promise<string> => {
  const { code, err } = await project.run(words)
  return `${code} ${err}`
}
/** State and name of the steps that are not from the store. */
const openSteps = (plan: { steps: { step: string; state: string; phase: string }[] }): string[] =>
  plan.steps.filter(({ state }) => state !== 'hit').map(({ state, phase, step }) => `${state} ${phase} ${step}`)

const everything = [
  'run build demo/tool',
  'run assemble demo/tool',
  'run assemble demo/units',
  'run optimize demo/trim',
  'run check demo/unit',
  'run pack image.bin',
  'run pack initramfs.cpio.xz',
]

test('before the first build a plan runs everything, leaves nothing behind, and the graph has what is declared', async () => {
  const plan = await told('plan')
  assert.equal(openSteps(plan).sort(), everything.slice().sort())
  assert.not.ok(existsSync(project.path('dist')))
  assert.not.ok(existsSync(project.path('zos.lock')))
  const { nodes, edges } = await told('graph')
  assert.ok(nodes.some(({ id }: { id: string }) => id === 'source:demo/src'))
  assert.ok(
    edges.some(({ from, to }: Record<string, string>) => from === 'source:demo/src' && to === 'build:demo/tool'),
  )
  assert.match(await refused('why', '/etc/unit'), /^2 error /)
})

test('after it nothing; after an edit what it touches, and why', async () => {
  await project.quick()
  assert.match(await said('plan'), /^demo \(zos\.config\.ts, x86_64\): up to date, 7 steps from the store\n$/)
  project.edit('config/unit.yaml', 'exec: sshd', 'exec: sshd -D')
  const text = await said('plan')
  assert.match(text, /^would run 1 of 7 steps, and 4 more if what they read changes$/m)
  assert.match(text, /^ {2}demo\/units +config\/unit\.yaml changed(; last took .*)?$/m)
  assert.match(text, /^ {2}initramfs\.cpio\.xz +if demo\/units gives something else(; last took .*)?$/m)
  assert.match(text, /^ {2}image\.bin +if /m)
  assert.equal(await told('plan', 'initramfs').then(openSteps), [
    'run assemble demo/units',
    'maybe optimize demo/trim',
    'maybe check demo/unit',
    'maybe pack initramfs.cpio.xz',
  ])
  assert.equal((await told('plan', '--rebuild-from=pack').then(openSteps)).slice(-2).sort(), everything.slice(-2))
  const { steps } = await told('plan')
  assert.ok(steps.every((step: object) => !('reads' in step)))
})

test('explain tells from what to what, the chain above, and what followed', async () => {
  await project.quick()
  const unit = await said('explain', 'demo/units')
  assert.match(
    unit,
    /because\n {2}config\/unit\.yaml changed\n {4}line 1: exec: sshd → exec: sshd -D\nand not because of: code, options: unchanged\n/,
  )
  assert.match(unit, /\n3 steps followed: demo\/unit, initramfs\.cpio\.xz, image\.bin\n$/)
  const image = await said('explain', 'image.bin')
  assert.match(
    image,
    /because\n {2}initramfs\.cpio\.xz changed\n {4}[0-9a-f]{8}… → [0-9a-f]{8}…\n {4}since initramfs\.cpio\.xz ran:\n/,
  )
  assert.match(
    image,
    / {8}since demo\/units ran:\n {10}config\/unit\.yaml changed\n {12}line 1: exec: sshd → exec: sshd -D\n/,
  )
  assert.match(image, /\nno step followed\n$/)
  const data = await told('explain', 'image.bin')
  assert.equal(data.changes[0].from[0].changes[0].from[0].changes[0].subject, 'config/unit.yaml')
})

test('why names step, plugin, package, component and later changes; links are followed', async () => {
  const tool = await said('why', 'usr/bin/tool')
  assert.match(tool, /^\/usr\/bin\/tool {2}file 0644 0:0, \d+ B, sha256 /)
  assert.match(
    tool,
    /\n {2}put by {3}demo\/tool \(assemble, plugin demo\)\n {2}changed {2}by demo\/trim \(optimize\)\n/,
  )
  const link = await said('why', '/etc/link')
  assert.match(link, /^\/etc\/link {2}link to unit\n {2}put by {3}demo\/units .*\n\/etc\/unit {2}file /)
  assert.match(link, /\n {2}package {2}tool 1, MIT\n {11}pkg:generic\/tool@1\n/)
  assert.match(await said('why', '/'), /\n +\d+ B +1 file {3}demo tool\n/)
  assert.match(
    await refused('why', '/usr/unit.conf'),
    /^2 error PATH_UNKNOWN\n.*\n {2}hint: did you mean: \/etc\/unit\n$/,
  )
})

test('log prints what a command printed, or says that there is none', async () => {
  assert.match(await said('log', 'demo/tool'), /^\$ sh -c .*\nmaking at 3\ntool\n$/)
  const path = (await said('log', 'demo/tool', '--path')).trim()
  assert.equal(await told('log', 'demo/tool'), {
    step: 'demo/tool',
    command: 'make tool',
    path,
    text: readFileSync(path, 'utf8'),
  })
  assert.match(await refused('log', 'demo/units'), /^2 error LOG_NONE\n {2}demo\/units runs no command\n/)
})

const shell = (...words: string[]) => project.zos(['shell', ...words])

test('a shell in the sandbox of a step, inputs in place', async () => {
  const { code, out } = await shell(
    'demo/tool',
    '--',
    'sh',
    '-c',
    'pwd; ls; echo $LEVEL; touch src/new && echo "$ZOS_COMMAND"',
  )
  assert.is(code, 0)
  assert.match(out, /^\/build\nsrc\n3\nsh -c 'mkdir out/)
  assert.is((await shell('demo/tool', '--', 'sh', '-c', 'ls src; exit 7')).code, 7)
  assert.match((await shell('demo/units')).err, /^error SHELL_NONE\n/)
})

test('a failed command names log, line, shell; its capsule leads into the same sandbox from elsewhere', async () => {
  project.edit('src/tool.sh', 'echo tool', 'echo before; echo "error: no tool" >&2; exit 3')
  const { error } = await project.build()
  const { log, capsule } = error!.data
  assert.equal(error!.hint, [`log: ${log} (line 4)`, 'shell: zos shell demo/tool'])
  assert.is(readFileSync(log, 'utf8').split('\n')[3], 'error: no tool')
  const { err } = await project.zos(['build'])
  assert.match(err, /\n {2}log: {3}\/.*\(line 4\)\n {2}shell: zos shell demo\/tool\n$/)
  assert.match(await said('log', 'demo/tool'), /error: no tool\n$/)
  assert.match(await said('explain', 'demo/tool'), /^demo\/tool failed on /)

  const again = await shell('demo/tool', '--', 'sh', '-c', 'eval "$ZOS_COMMAND"')
  assert.equal([again.code, again.err], [3, 'error: no tool\n'])
  const text = readFileSync(capsule, 'utf8')
  const { failure, input, command, env } = parseCapsule(text, 'capsule')
  assert.match(failure!.log, /before\nerror: no tool\n$/)
  assert.equal([input.count, env, command[0]], [2, { LEVEL: '3' }, 'sh'])
  assert.not.match(text, new RegExp(project.root))

  const elsewhere = temporaryFolder()
  writeFileSync(`${elsewhere}/failed.json`, text)
  const other = answersProject()
  writeFileSync(other.path('failed.json'), text)
  const inside = ['shell', '--capsule', 'failed.json', '--', 'sh', 'src/tool.sh']
  const there = await other.zos(inside, { env: { ZOS_STORE: project.path('.zos') } })
  assert.equal([there.code, there.out, there.err], [3, 'before\n', 'error: no tool\n'])
  const without = await other.zos(inside)
  assert.match(without.err, /^error CAPSULE_INPUT\n.*[0-9a-f]{64}/)
  writeFileSync(other.path('failed.json'), '{"version":2}')
  assert.match((await other.zos(inside)).err, /^error CAPSULE_INVALID\n {2}failed\.json: has version 2/)
})

test('a step that another config has run is told of by that run, also when that is no longer on record', async () => {
  const shared = answersProject()
  await shared.quick()
  writeFileSync(shared.path('two.config.ts'), configOf('local.demo({})').replace("'demo'", "'two'"))
  const two = ['--config', 'two.config.ts']
  await shared.quick(two)
  const asked = async (...words: string[]): Promise<string> => {
    const { code, out, err } = await shared.run([...words, ...two])
    assert.is(code, 0, `${words.join(' ')}: ${out}${err}`)
    return out
  }
  assert.match(
    await asked('explain', 'demo/units'),
    /^demo\/units ran on .* UTC in a build of demo\/x86_64 .*first time\n/s,
  )
  assert.is(JSON.parse(await asked('explain', 'demo/units', '--json')).from, 'demo/x86_64')
  assert.match(await asked('log', 'demo/tool'), /\nmaking at 3\ntool\n$/)
  assert.is((await shared.zos(['shell', ...two, 'demo/tool', '--', 'true'])).code, 0)

  const database = new Database(shared.path('.zos/v2/store.sqlite'))
  database.prepare("DELETE FROM history WHERE config = 'demo/x86_64'").run()
  database.close()
  const gone = await asked('explain', 'demo/units')
  assert.match(
    gone,
    /^demo\/units came from the store on .* UTC; no build on record ran it\nit looks at: config\/unit\.yaml\n/,
  )

  shared.edit('config/unit.yaml', 'exec: sshd', 'exec: sshd -D')
  assert.match(await asked('plan'), /^ {2}demo\/units +config\/unit\.yaml changed/m)
  await shared.quick(two)
  await shared.quick()
  assert.match(
    await asked('explain', 'demo/units'),
    /^demo\/units ran on [^a-z]* UTC \(.*\n {2}config\/unit\.yaml changed\n/,
  )
})

test.run()
