// time limit: 3000 s
// Builds that are killed at a hundred operations and a hundred moments.
import { test } from 'uvu'
import { FaultyPlace, killedAfter, killedAt, soundBuild } from './faults.js'
import { clean } from './git-repository.js'

const place = await FaultyPlace.make()
const sound = await soundBuild(place)
const rounds = 100

test(`kill -9 at ${rounds} operations: each next build gives the same bytes`, async () => {
  for (let round = 0; round < rounds; round++) await killedAt(place, sound, (round + 0.5) / rounds)
})

test(`kill -9 at ${rounds} random moments: each next build gives the same bytes`, async () => {
  for (let round = 0; round < rounds; round++) await killedAfter(place, sound, Math.random())
})

test.after(async () => {
  await place.close()
  clean()
})
test.run()
