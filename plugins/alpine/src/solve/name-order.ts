// apk visits names by the buckets of its hash table, and what it finds first is installed first where nothing else
// decides. So the same order is kept here: MurmurHash3 (x86, 32 bits) of the name.
import type { Name } from './universe.js'

const seed = 5381
const buckets = 20_000

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))
const mixed = (block: number): number => Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593)

export const murmur3 = (text: string): number => {
  const bytes = Buffer.from(text)
  const whole = bytes.length - (bytes.length % 4)
  let hash = seed
  for (let at = 0; at < whole; at += 4)
    hash = (Math.imul(rotate(hash ^ mixed(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0
  let rest = 0
  for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | bytes[at]!
  hash ^= mixed(rest) ^ bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const known = new WeakMap<Name, number>()
const bucketOf = (name: Name): number => {
  let bucket = known.get(name)
  if (bucket === undefined) {
    bucket = murmur3(name.text) % buckets
    known.set(name, bucket)
  }
  return bucket
}

/** Negative where apk comes to `a` first; in one bucket that is the name that it learned last. */
export const compareVisits = (a: Name, b: Name): number => bucketOf(a) - bucketOf(b) || b.id - a.id
