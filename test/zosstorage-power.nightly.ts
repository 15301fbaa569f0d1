// time limit: 3600 s
// Power lost at every write of a first run and of the restart after it, and with writes lost in the disk's cache.
import { rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { folder } from './disk-machine.js'
import { type Cut, expectUnderstood, type Next, nextRuns, type Recorded, record } from './disk-power.js'
import { build, project } from './zos.js'

/** Seconds: a build that compiles everything. */
const limit = 900
/** Disks of one machine. */
const atOnce = 40
test.after(() => rmSync(folder, { recursive: true, force: true }))

let recorded: Recorded | undefined

test('the image, a first run and a restart', async () => {
  await build('variants/quickstart.config.ts', project, limit)
  recorded = await record(true)
})

const after = async (cuts: readonly Cut[]): Promise<Next[]> => {
  assert.ok(recorded)
  const seen: Next[] = []
  for (let from = 0; from < cuts.length; from += atOnce)
    seen.push(...(await nextRuns(recorded.writes, cuts.slice(from, from + atOnce))))
  for (const next of seen) expectUnderstood(next)
  return seen
}

test('after every write: completed or refused, and a provisioned machine keeps its data', async () => {
  assert.ok(recorded)
  const { writes, borders } = recorded
  const seen = await after(Array.from({ length: writes.length + 1 }, (_, index) => ({ after: index })))
  for (const { after: count, report, kept, untouched } of seen) {
    const where = `after ${count} writes: ${report.status} ${JSON.stringify(report.error)}`
    if (count === 0) assert.is(report.status, 'provisioned', where)
    else if (count < borders.mounts) assert.ok(report.error, where)
    else assert.is(report.status, 'already_provisioned', where)
    if (count >= borders.again) assert.ok(kept, where)
    // Neither the program nor its mounts write a byte to a disk on which all is right.
    if (count === borders.again) assert.ok(untouched, where)
  }
  const classes = new Set(seen.flatMap(({ report }) => report.error?.class ?? []))
  assert.equal([...classes].sort(), ['not_empty', 'partial'])
})

test('writes behind the last flush lost, some of them: completed or refused, and no data lost', async () => {
  assert.ok(recorded)
  const { writes, borders } = recorded
  // The same numbers in every run (xorshift32).
  let state = 0x5eed_2026
  const random = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const cuts = Array.from({ length: 2 * atOnce }, () => {
    const lost = new Set(writes.keys())
    for (const index of writes.keys()) if (random(2) === 0) lost.delete(index)
    return { after: 1 + random(writes.length), isLost: (index: number) => lost.has(index) }
  })
  for (const { after: count, kept, report } of await after(cuts))
    if (count >= borders.again) assert.ok(kept, `after ${count} writes: ${JSON.stringify(report.error)}`)
})

test.run()
