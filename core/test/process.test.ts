import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ZosError } from '../dist/error.js'
import { type ProcessRequest, runProcess } from '../dist/io/process.js'
import { createTail, eachLine } from '../dist/io/process-lines.js'

const env = { PATH: '/usr/local/bin:/usr/bin:/bin' }
const shell = (script: string, more: Partial<ProcessRequest> = {}) =>
  runProcess({ file: 'sh', args: ['-c', script], env, cwd: '/', ...more })

const failure = async (promise: Promise<unknown>): Promise<ZosError> => {
  try {
    await promise
  } catch (error) {
    return error as ZosError
  }
  throw new Error('it did not fail')
}

/** Whether a process is there and not only waiting to be reaped. */
const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const ended = async (pid: number): Promise<boolean> => {
  for (let tries = 0; tries < 50 && alive(pid); tries++) await sleep(20)
  return !alive(pid)
}

test('output is given back whole, in an environment that inherits nothing', async () => {
  const { stdout, stderr } = await shell('env; echo told >&2', { env: { ...env, ONE: '1' } })
  assert.equal(
    stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !/^(PWD|_|OLDPWD|SHLVL)=/.test(line))
      .sort(),
    ['ONE=1', `PATH=${env.PATH}`],
  )
  assert.is(stderr, 'told')
  const large = await shell('head -c 5000000 /dev/zero')
  assert.is(large.stdout.length, 5_000_000)
})

test('input is given, text or bytes', async () => {
  assert.is((await runProcess({ file: 'cat', args: [], env, cwd: '/', stdin: 'tëxt' })).stdout.toString(), 'tëxt')
  const bytes = new Uint8Array([0, 255, 128])
  assert.equal([...(await runProcess({ file: 'cat', args: [], env, cwd: '/', stdin: bytes })).stdout], [0, 255, 128])
  await shell('exit 0', { stdin: 'x'.repeat(1_000_000) })
})

test('lines go to the listener and the log, with secrets masked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-process-'))
  const logFile = join(folder, 'log')
  const lines: string[] = []
  await shell('echo a geheim; printf "b\\r\\nlast"', {
    stdout: 'lines',
    logFile,
    secrets: ['geheim', ''],
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  })
  assert.equal(lines, ['stdout a •••', 'stdout b', 'stdout last'])
  await shell('echo more >&2', { logFile })
  assert.is(readFileSync(logFile, 'utf8'), 'a •••\nb\nlast\nmore\n')
  rmSync(folder, { recursive: true })
})

test('a failure carries argv, exit code and the end of stderr, without secrets', async () => {
  const script = 'echo first >&2; echo "https://me:pw@host/ geheim" >&2; exit 3'
  const error = await failure(shell(script, { secrets: ['geheim'] }))
  assert.is(error.code, 'PROCESS_FAILED')
  assert.match(error.message, /ended with exit code 3\n {2}first\n {2}https:\/\/•••@host\/ •••$/)
  assert.is(error.data.exitCode, 3)
  assert.equal((error.data.argv as string[]).slice(0, 2), ['sh', '-c'])
  assert.not.match(JSON.stringify([error.message, error.data]), /geheim|me:pw/)
  const killed = await failure(shell('kill -9 $$'))
  assert.is(killed.data.signal, 'SIGKILL')
})

test('a missing program or folder is told', async () => {
  const error = await failure(
    runProcess({ file: 'no-such-tool', args: [], env, cwd: '/', install: 'apt-get install x' }),
  )
  assert.is(error.code, 'HOST_TOOL_MISSING')
  assert.equal(error.hint, ['apt-get install x'])
  assert.is(error.exit, 6)
  const folder = await failure(runProcess({ file: 'true', args: [], env, cwd: '/no/such/folder' }))
  assert.is(folder.code, 'PROCESS_FOLDER')
})

test('too much output ends the program', async () => {
  const error = await failure(shell('exec yes', { maxOutput: 100_000 }))
  assert.is(error.code, 'PROCESS_OUTPUT')
})

test('an abort ends the whole group, at last by KILL', async () => {
  const pids: number[] = []
  const controller = new AbortController()
  const script = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done' & echo $$; wait`
  const start = performance.now()
  const run = shell(script, {
    stdout: 'lines',
    signal: controller.signal,
    killAfter: 300,
    onLine: (line) => {
      pids.push(Number(line))
      if (pids.length === 2) controller.abort(new Error('Ctrl-C'))
    },
  })
  assert.is((await failure(run)).message, 'Ctrl-C')
  const took = performance.now() - start
  assert.ok(took >= 290 && took < 3000, `took ${took} ms`)
  assert.is(pids.length, 2)
  for (const pid of pids) assert.ok(await ended(pid), `${pid} is still there`)
  assert.is((await failure(shell('true', { signal: controller.signal }))).message, 'Ctrl-C')
})

test('an abort also ends what has left the group and holds its output', async () => {
  const pids: number[] = []
  const controller = new AbortController()
  const start = performance.now()
  const run = shell(`setsid sh -c 'echo $$; exec sleep 30' & wait`, {
    stdout: 'lines',
    signal: controller.signal,
    killAfter: 200,
    onLine: (line) => {
      pids.push(Number(line))
      controller.abort(new Error('Ctrl-C'))
    },
  })
  assert.is((await failure(run)).message, 'Ctrl-C')
  assert.ok(performance.now() - start < 10_000)
  assert.ok(await ended(pids[0]!))
})

test('what a program leaves running ends with it', async () => {
  const start = performance.now()
  const { stdout } = await shell('sleep 30 & echo $!')
  assert.ok(performance.now() - start < 5000)
  assert.ok(await ended(Number(stdout.toString())))
})

test('nothing outlives a zos that ends in the middle', async () => {
  const module = new URL('../dist/io/process.js', import.meta.url).href
  const script = `
    import { runProcess } from '${module}'
    const onLine = (line) => { console.log(line); setTimeout(() => process.exit(0), 50) }
    runProcess({ file: 'sh', args: ['-c', 'echo $$; sleep 30'], env: process.env, cwd: '/', stdout: 'lines', onLine })`
  const { stdout } = await runProcess({
    file: process.execPath,
    args: ['--input-type=module', '-e', script],
    env,
    cwd: '/',
  })
  assert.ok(await ended(Number(stdout.toString())))
})

test('lines are cut at their ends, across chunks and inside characters', () => {
  const lines: string[] = []
  const sink = eachLine((line) => lines.push(line))
  for (const byte of Buffer.from('ä\r\n\nb\rc\nd')) sink.add(Buffer.from([byte]))
  sink.end()
  assert.equal(lines, ['ä', '', 'b\rc', 'd'])
  const long: number[] = []
  const pieces = eachLine((line) => long.push(line.length))
  pieces.add(Buffer.alloc(150_000, 'x'))
  pieces.end()
  assert.equal(long, [65_536, 65_536, 18_928])
  const tail = createTail()
  for (let line = 0; line < 10_000; line++) tail.add(`line ${line} of many`)
  assert.ok(tail.text().length <= 65_536)
  assert.equal(tail.last(1), ['line 9999 of many'])
})

test.run()
