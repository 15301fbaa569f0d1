import { type Block, blockSize } from './block.js'
import type { BlockPool } from './block-pool.js'

/** Gathers chunks of any size into blocks: all of `blockSize` bytes but the last. No bytes give no block. */
export async function* cutBlocks(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let filled = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + blockSize - filled)
      parts.push(part)
      from += part.length
      filled += part.length
      if (filled < blockSize) continue
      yield joined(parts)
      parts = []
      filled = 0
    }
  }
  if (filled > 0) yield joined(parts)
}

/** A block that came as one chunk is not copied: most files are smaller than a block. */
const joined = (parts: readonly Uint8Array[]): Uint8Array => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))

/** Blocks of one file that are in the making at the same time. */
const atOnce = 4

/** Seals the content of a file on all cores; `keep` gets each sealed block, in any order. Gives the blocks in order. */
export const sealContent = async (
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  pool: BlockPool,
  keep: (block: Block, bytes: Uint8Array, at: number) => Promise<void>,
): Promise<Block[]> => {
  const blocks: Block[] = []
  const running = new Set<Promise<void>>()
  let failed: { error: unknown } | undefined
  let at = 0
  for await (const plain of cutBlocks(chunks)) {
    const place = at++
    const task: Promise<void> = pool
      .seal(plain)
      .then(async ({ id, key, bytes }) => {
        blocks[place] = { id, key }
        await keep({ id, key }, bytes, place)
      })
      .catch((error: unknown) => {
        failed ??= { error }
      })
      .finally(() => running.delete(task))
    running.add(task)
    if (running.size >= atOnce) await Promise.race(running)
    if (failed) break
  }
  await Promise.all(running)
  if (failed) throw failed.error
  return blocks
}
