// time limit: 900 s
// The crate's own checks: format, lints, unit, property and loop device tests, with whatever cargo is in PATH.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const crate = fileURLToPath(new URL('../crate/', import.meta.url))
/** Beside the toolchain, so that no copy of the crate takes what was compiled along. */
const target = fileURLToPath(new URL('../../../.zos-toolchain/zosstorage-target', import.meta.url))

const cargo = (args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve) => {
    const child = spawn('cargo', args, {
      cwd: crate,
      env: { ...process.env, CARGO_TARGET_DIR: target },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('close', (code) => resolve({ code, output }))
  })

const has = async (tool: string): Promise<boolean> => {
  const there = (await cargo([tool, '--version'])).code === 0
  if (!there) console.log(`skip cargo ${tool}: it is not installed`)
  return there
}

const checks: Record<string, readonly string[]> = {
  fmt: ['fmt', '--check'],
  clippy: ['clippy', '--locked', '--all-targets', '--quiet', '--', '-D', 'warnings'],
}
for (const [tool, args] of Object.entries(checks)) {
  if (!(await has(tool))) continue
  test(`cargo ${tool} finds nothing`, async () => {
    const { code, output } = await cargo(args)
    assert.is(code, 0, output)
  })
}

test('cargo test', async () => {
  const { code, output } = await cargo(['test', '--locked', '--', '--nocapture'])
  for (const [line] of output.matchAll(/^skip .+: .+$/gm)) console.log(line)
  assert.is(code, 0, output)
})

test.run()
