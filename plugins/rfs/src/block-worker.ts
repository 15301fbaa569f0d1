// A thread of the block pool: seals and opens one block after the other.
import { parentPort } from 'node:worker_threads'
import { isZosError } from '@zos/core'
import { openBlock, sealBlock } from './block.js'
import type { BlockAnswer, BlockTask } from './block-pool.js'

/** A buffer of its own can be handed over without a copy. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.byteLength === bytes.buffer.byteLength ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)

const answer = (task: BlockTask): BlockAnswer => {
  try {
    if (task.block) return { bytes: own(openBlock(task.block, task.bytes)) }
    const { id, key, bytes } = sealBlock(task.bytes)
    return { id, key, bytes: own(bytes) }
  } catch (error) {
    if (isZosError(error)) return { error: { code: error.code, message: error.message, hint: error.hint } }
    return { error: { code: 'BLOCK_DAMAGED', message: (error as Error).message, hint: [] } }
  }
}

parentPort?.on('message', (task: BlockTask) => {
  const result = answer(task)
  parentPort?.postMessage(result, 'bytes' in result ? [result.bytes.buffer as ArrayBuffer] : [])
})
