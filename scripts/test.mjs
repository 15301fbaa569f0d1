// Runs compiled test files: node scripts/test.mjs TIER... [PART-OF-A-PATH...]
// Each file is a child process with a time limit; the counts of uvu's summaries are added up.
// Tiers: unit (*.test.ts), system (*.system.ts), nightly (*.nightly.ts).
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** How each tier's files end, and how many run at once: a compile and a machine that boots leave each other room. */
const tiers = {
  unit: { ending: '.test', atOnce: availableParallelism() },
  system: { ending: '.system', atOnce: 2 },
  nightly: { ending: '.nightly', atOnce: 1 },
}

/** Seconds, where the source does not say `// time limit: N s`. */
const defaultLimit = 120
/** Characters of output that are kept of each file, at its end. */
const longestOutput = 200_000

const foldersIn = (path) =>
  existsSync(join(root, path))
    ? readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [entry.name] : [],
      )
    : []

/** Test folders by the name of their part. Compiled files lie in `.test` beside `test`, in the same order. */
const parts = [
  { part: 'core', folder: 'core' },
  ...foldersIn('plugins')
    .sort()
    .map((name) => ({ part: name, folder: `plugins/${name}` })),
  { part: 'whole', folder: '.' },
]

const filesOf = ({ part, folder }, ending) => {
  const sources = join(root, folder, 'test')
  if (!existsSync(sources)) return []
  return readdirSync(sources, { recursive: true })
    .filter((path) => path.endsWith(`${ending}.ts`))
    .sort()
    .map((path) => ({
      part,
      source: join(sources, path),
      compiled: join(root, folder, '.test', path.replace(/\.ts$/, '.js')),
      name: `${part}/${path.slice(0, -3)}`,
    }))
}

const running = new Set()
const kill = (pid) => {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const pid of running) kill(pid)
    process.exit(130)
  })
}

const limitOf = (source) =>
  Number(/^\/\/ time limit: (\d+) s$/m.exec(readFileSync(source, 'utf8'))?.[1] ?? defaultLimit)

/** Runs one file in a process group of its own, so that nothing it started stays behind. */
const execute = ({ source, compiled }) =>
  new Promise((resolve) => {
    const limit = limitOf(source)
    const start = performance.now()
    let output = ''
    let late = false
    const child = spawn(process.execPath, [compiled], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    running.add(child.pid)
    const timer = setTimeout(() => {
      late = true
      kill(child.pid)
    }, limit * 1000)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-longestOutput)
      })
    }
    child.on('exit', () => kill(child.pid))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(child.pid)
      const problem = late ? `no end after ${limit} s` : signal === null ? undefined : `ended by ${signal}`
      resolve({ output, code, problem, seconds: (performance.now() - start) / 1000 })
    })
  })

const summary = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm

/** Counts of one file. Whatever is no clean summary with exit code 0 is a failure. */
const judge = ({ output, code, problem }) => {
  const skips = [...output.matchAll(/^skip (.+): (.+)$/gm)]
  const counts = { passed: 0, failed: 0, skipped: skips.length }
  let total = 0
  let summaries = 0
  for (const [, tests, passed, skipped] of output.matchAll(summary)) {
    summaries++
    total += Number(tests)
    counts.passed += Number(passed)
    counts.skipped += Number(skipped)
  }
  counts.failed = total - counts.passed
  let reason = problem
  if (reason === undefined && summaries === 0) reason = 'no summary'
  if (reason === undefined && code !== 0 && counts.failed === 0) reason = `exit code ${code}`
  if (reason === undefined && total + counts.skipped === 0) reason = 'no tests'
  if (reason !== undefined) counts.failed++
  return { ...counts, reason, skips: skips.map(([line]) => line) }
}

const counted = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

const time = (seconds) => `${seconds.toFixed(1)} s`

const runFile = async (file) => {
  const run = existsSync(file.compiled)
    ? await execute(file)
    : { output: '', code: 1, problem: 'not compiled', seconds: 0 }
  const result = judge(run)
  const verdict = result.failed > 0 ? 'FAIL' : 'ok  '
  const reason = result.reason === undefined ? '' : ` · ${result.reason}`
  console.log(`${verdict} ${file.name.padEnd(44)} ${counted(result)}, ${time(run.seconds)}${reason}`)
  for (const line of result.skips) console.log(`     ${line}`)
  if (result.failed > 0) console.log(run.output.replace(/^/gm, '     | '))
  return { ...result, part: file.part, seconds: run.seconds }
}

const runTier = async (tier, filters) => {
  const { ending, atOnce } = tiers[tier]
  const queue = parts
    .flatMap((part) => filesOf(part, ending))
    .filter(({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    // The longest first, so that none of them is alone at the end.
    .sort((a, b) => limitOf(b.source) - limitOf(a.source))
  if (queue.length === 0) return []
  console.log(`== ${tier}: ${queue.length} files, ${atOnce} at once`)
  const results = []
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) results.push(await runFile(file))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

const sum = (results) => {
  const total = { passed: 0, failed: 0, skipped: 0, seconds: 0 }
  for (const result of results) for (const key of Object.keys(total)) total[key] += result[key]
  return total
}

const words = process.argv.slice(2)
const wanted = words.filter((word) => word in tiers)
const filters = words.filter((word) => !(word in tiers))
if (wanted.length === 0) {
  console.error(`usage: node scripts/test.mjs ${Object.keys(tiers).join('|')} [PART-OF-A-PATH...]`)
  process.exit(2)
}

const start = performance.now()
const results = []
for (const tier of wanted) results.push(...(await runTier(tier, filters)))
console.log('== parts')
for (const { part } of parts) {
  const total = sum(results.filter((result) => result.part === part))
  if (total.seconds > 0) console.log(`     ${part.padEnd(44)} ${counted(total)}, ${time(total.seconds)}`)
}
const total = sum(results)
if (results.length === 0) {
  console.log('no test file matches')
  total.failed++
}
console.log(`     all in ${time((performance.now() - start) / 1000)}`)
console.log(counted(total))
process.exitCode = total.failed > 0 ? 1 : 0
