// time limit: 300 s
// Builds that are killed at ten operations, spread over all phases.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FaultyPlace, killedAt, soundBuild } from './faults.js'
import { clean } from './git-repository.js'

const place = await FaultyPlace.make()
const sound = await soundBuild(place)

test('operations of every part are seen', () => {
  for (const part of [
    /^write .*\/partial\//,
    /^writeFile .*\/incoming\//,
    /^rename .*\/incoming\//,
    /^run INSERT .*result/,
    /^run INSERT .*tap/,
    /^run INSERT .*claim/,
    /^run DELETE FROM lease/,
    /^spawn git /,
    /^spawn bwrap /,
    /^renameSync .*zos\.lock/,
    /^renameSync .*dist\//,
  ])
    assert.ok(
      sound.operations.some((line) => part.test(line)),
      String(part),
    )
})

const rounds = 10
for (let round = 0; round < rounds; round++) {
  const part = (round + 0.5) / rounds
  test(`kill -9 after ${part} of ${sound.operations.length} operations: the next build gives the same bytes`, () =>
    killedAt(place, sound, part))
}

test.after(async () => {
  await place.close()
  clean()
})
test.run()
