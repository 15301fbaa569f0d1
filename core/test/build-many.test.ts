// zos build with several config files.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sha256 } from '../dist/index.js'
import { configOf, eventsOf, Project, pluginsFile, temporaryFolder } from './temporary-project.js'

const variantOf = (name: string, options: string): string =>
  `import base from '../zos.config.ts'\nexport default base.variant({ name: '${name}', plugins: { demo: ${options} } })\n`

/** Each build notes what it really does in a file of the host, which no sandbox would let it. */
const project = (url: string, log: string): Project =>
  new Project({
    'zos.config.ts': configOf(`local.demo({ text: 'base', url: '${url}' })`),
    'variants/a.config.ts': variantOf('a', `{ text: 'a' }`),
    'variants/b.config.ts': variantOf('b', `{ text: 'b' }`),
    'variants/bad.config.ts': variantOf('bad', `{ text: 'bad' }`),
    'plugins.ts': pluginsFile(`
import { appendFileSync } from 'node:fs'
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const note = (line: string) => appendFileSync('${log}', line + '\\n')
export const demo = plugin('demo', (hooks: any, { text, url }: any) => {
  hooks.resolve.tap('plan', (plan: any) => plan.source('file', http(url, { sha256: '${sha256('x')}' })))
  hooks.assemble.tap('put', async (tree: any, ctx: any) => {
    if (text === 'bad') throw new Error('this one is bad')
    ctx.warn('DEMO_OLD', 'this is old')
    const { blob } = await ctx.fetched('file')
    const { files } = await ctx.remember('slow-1', { of: 'all' }, async () => {
      note('computed')
      await wait(2000)
      return { files: { slow: await ctx.blobs.put('slow') } }
    })
    return tree.delta().file('/etc/text', text).file('/etc/slow', files.slow).file('/etc/file', blob)
  })
})`),
  })

test('each is built, what they share once; a failure stops no other and is the exit code', async () => {
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    setTimeout(() => response.end('x'), 1500)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const log = join(temporaryFolder(), 'log')
    const place = project(`http://127.0.0.1:${(server.address() as AddressInfo).port}/file`, log)
    const files = ['variants/a.config.ts', 'variants/bad.config.ts', 'variants/b.config.ts']
    const { code, out } = await place.zos(['build', ...files, '--jobs', '3'])
    assert.is(code, 1, out)
    assert.match(out, /^3 configs, 3 at once\n/)
    assert.match(out, /variants\/a\.config\.ts +built +\S+ s +\d of \d steps run +initramfs\.cpio\.xz \d+ B\n/)
    assert.match(out, /^ {2}variants\/[ab]\.config\.ts: assemble: 1 step, 1 run: \d+ files, \S+ s$/m)
    assert.is(out.match(/warning DEMO_OLD: this is old/g)?.length, 1)
    assert.match(out, /variants\/bad\.config\.ts +failed +\S+ s +PLUGIN_FAILED\n/)
    assert.match(out, /\n2 built, 1 failed\n {2}hint: why: zos build -c variants\/bad\.config\.ts\n$/)
    assert.is(readFileSync(log, 'utf8'), 'computed\n')
    assert.is(asked, 1)
    assert.ok(place.bytes('dist/a/initramfs.cpio.xz').length > 0 && place.bytes('dist/b/manifest.json').length > 0)
    const again = await place.zos(['build', 'variants/a.config.ts', 'variants/b.config.ts', '--json'])
    assert.is(again.code, 0)
    const events = eventsOf(again.out)
    assert.equal([...new Set(events.map(({ config }) => config))].sort(), [files[0], files[2], undefined])
    assert.equal(
      events.at(-1)?.builds.map(({ config, end }: { config: string; end: number }) => [config, end]),
      [
        [files[0], 0],
        [files[2], 0],
      ],
    )
  } finally {
    server.close()
  }
})

/** Most that ran at once, of all jobs and of those of each build; a job is a build's name, its begin and its end. */
const mostAtOnce = (jobs: readonly (readonly [string, number, number])[]): number =>
  Math.max(...jobs.map(([, at]) => jobs.filter(([, begin, end]) => begin <= at && at < end).length))

test('jobs are one pool: never more over all builds, and what one leaves another takes', async () => {
  const log = join(temporaryFolder(), 'log')
  const place = new Project({
    'zos.config.ts': configOf(`local.demo({ text: 'base', jobs: 1 })`),
    'variants/a.config.ts': variantOf('a', `{ text: 'a', jobs: 1 }`),
    'variants/b.config.ts': variantOf('b', `{ text: 'b', jobs: 8 }`),
    'variants/c.config.ts': variantOf('c', `{ text: 'c', jobs: 8 }`),
    'plugins.ts': pluginsFile(`
import { appendFileSync } from 'node:fs'
export const demo = plugin('demo', (hooks: any, { text, jobs }: any) => {
  hooks.assemble.tap('make', async (tree: any, ctx: any) => {
    const names = Array.from({ length: jobs }, (_, n) => 'job' + n)
    const rule = 'all: ' + names.join(' ') + '\\n' + names.join(' ') + ':\\n\\t@b=$$(date +%s%N); sleep 0.7; echo ' + text + ' $$b $$(date +%s%N)\\n'
    const toolchain = await ctx.host({ tools: ['sh', 'make', 'date', 'sleep', 'printf'] })
    const command = ['sh', '-c', 'printf %s "$1" >Makefile; make', 'sh', rule]
    const { stdout } = await ctx.run({ name: 'make', command, inputs: {}, outputs: [], toolchain })
    appendFileSync('${log}', stdout)
    return tree.delta().file('/etc/text', text)
  })
})`),
  })
  const files = ['a', 'b', 'c'].map((name) => `variants/${name}.config.ts`)
  const { code, out } = await place.zos(['build', ...files, '--jobs', '3'])
  assert.is(code, 0, out)
  const jobs = readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([name = '', begin, end]) => [name, Number(begin), Number(end)] as const)
  assert.is(jobs.length, 17)
  assert.ok(mostAtOnce(jobs) <= 3, out)
  const most = ['b', 'c'].map((name) => mostAtOnce(jobs.filter(([one]) => one === name)))
  assert.ok(Math.max(...most) > 1, `each build kept to its share: ${most}`)
})

test('builds end with the program that started them, even by KILL', async () => {
  const log = join(temporaryFolder(), 'log')
  writeFileSync(log, '')
  const place = new Project({
    'zos.config.ts': configOf(`local.demo({ text: 'base' })`),
    'variants/a.config.ts': variantOf('a', `{ text: 'a' }`),
    'variants/b.config.ts': variantOf('b', `{ text: 'b' }`),
    'plugins.ts': pluginsFile(`
import { appendFileSync } from 'node:fs'
export const demo = plugin('demo', (hooks: any, { text }: any) => {
  hooks.assemble.tap('wait', async (tree: any, ctx: any) => {
    const toolchain = await ctx.host({ tools: ['sh', 'sleep'] })
    appendFileSync('${log}', process.pid + '\\n')
    await ctx.run({ name: 'wait', command: ['sh', '-c', 'sleep 100; : ' + text], inputs: {}, outputs: [], toolchain })
    return tree
  })
})`),
  })
  const pids = (): number[] => readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number)
  const alive = (pid: number): boolean => existsSync(`/proc/${pid}`)
  let parent: number | undefined
  await place.zos(['build', 'variants/a.config.ts', 'variants/b.config.ts', '--jobs', '2'], {
    onStart: async (child) => {
      parent = child.pid
      for (let tries = 0; tries < 600 && pids().length < 2; tries++) await pause(50)
      child.kill('SIGKILL')
    },
  })
  assert.is(pids().length, 2)
  assert.not(pids().includes(parent!))
  for (let tries = 0; tries < 400 && pids().some(alive); tries++) await pause(50)
  assert.not(pids().some(alive))
})

test('locks that are made together carry one time', async () => {
  const place = new Project({
    'zos.config.ts': configOf(`local.demo({ text: 'base' })`),
    'variants/a.config.ts': variantOf('a', `{ text: 'a' }`),
    'variants/b.config.ts': variantOf('b', `{ text: 'b' }`),
    'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks: any, { text }: any) => {
  hooks.assemble.tap('put', async (tree: any) => {
    await new Promise((resolve) => setTimeout(resolve, 1100))
    return tree.delta().file('/etc/text', text)
  })
})`),
  })
  // One after the other.
  const { code, out } = await place.zos(['build', 'variants/a.config.ts', 'variants/b.config.ts', '--jobs', '1'])
  assert.is(code, 0, out)
  const times = ['a', 'b'].map((name) => JSON.parse(place.text(`variants/${name}.lock`)).epoch)
  assert.is(times[0], times[1])
})

test('options of one build, and files that are not there, are told', async () => {
  const place = project('http://127.0.0.1:1/file', '/dev/null')
  const both = await place.zos(['build', 'variants/a.config.ts', '-c', 'zos.config.ts'])
  assert.is(both.code, 2)
  assert.match(both.err, /CLI_USAGE\n.*--config is of one build/)
  const none = await place.zos(['build', 'variants/none.config.ts'])
  assert.is(none.code, 3, none.out)
  assert.match(none.out, /failed +\S+ s +CONFIG_/)
})

test.run()
