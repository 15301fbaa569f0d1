// Threads that seal and open blocks, one a core.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ZosError } from '@zos/core'
import { type Block, openBlock, type SealedBlock, sealBlock } from './block.js'

/** Opens `block`, or seals plain bytes where there is none. */
export interface BlockTask {
  readonly bytes: Uint8Array
  readonly block?: Block
}

export type BlockAnswer =
  | (Partial<Block> & { readonly bytes: Uint8Array<ArrayBuffer> })
  | { readonly error: { readonly code: string; readonly message: string; readonly hint: readonly string[] } }

/** Bytes up to which a block is sealed or opened at once: to hand it over would take longer. */
const smallBytes = 32 * 1024

/** Tasks that one thread has at hand, so that it never waits for the next. */
const ahead = 2

const ended = (): ZosError => new ZosError('BLOCK_POOL', 'the work on blocks was ended')

interface Waiting {
  readonly task: BlockTask
  resolve(answer: Partial<Block> & { readonly bytes: Uint8Array }): void
  reject(error: unknown): void
}

interface Thread {
  readonly worker: Worker
  /** Answers come in the order of the tasks. */
  readonly tasks: Waiting[]
}

/** Seals and opens blocks on all cores. The bytes that it is given are handed over where they have a buffer of their own. */
export class BlockPool {
  readonly #threads: Thread[] = []
  readonly #queue: Waiting[] = []
  readonly #size: number
  #closed = false

  constructor(size = availableParallelism()) {
    this.#size = size
  }

  async seal(plain: Uint8Array): Promise<SealedBlock> {
    if (plain.length <= smallBytes) return sealBlock(plain)
    const { id = '', key = '', bytes } = await this.#run({ bytes: plain })
    return { id, key, bytes }
  }

  /** Opens and checks a block, as `openBlock`. */
  async open(block: Block, sealed: Uint8Array): Promise<Uint8Array> {
    if (sealed.length <= smallBytes) return openBlock(block, sealed)
    return (await this.#run({ bytes: sealed, block: { id: block.id, key: block.key } })).bytes
  }

  async close(): Promise<void> {
    this.#closed = true
    const threads = this.#threads.splice(0)
    this.#fail(threads, ended())
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  }

  #run(task: BlockTask): Promise<Partial<Block> & { readonly bytes: Uint8Array }> {
    if (this.#closed) return Promise.reject(ended())
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, resolve, reject })
      this.#feed()
    })
  }

  #feed(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const thread = this.#freeThread()
      if (!thread) return
      const waiting = this.#queue.shift()!
      const { bytes, block } = waiting.task
      thread.tasks.push(waiting)
      thread.worker.ref()
      const isOwn = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
      thread.worker.postMessage({ bytes, ...(block && { block }) }, isOwn ? [bytes.buffer as ArrayBuffer] : [])
    }
  }

  /** The thread with least to do, or a new one while there may be more. */
  #freeThread(): Thread | undefined {
    const [least] = [...this.#threads].sort((a, b) => a.tasks.length - b.tasks.length)
    if (least && (least.tasks.length === 0 || this.#threads.length === this.#size))
      return least.tasks.length < ahead ? least : undefined
    const thread: Thread = { worker: new Worker(new URL('./block-worker.js', import.meta.url)), tasks: [] }
    thread.worker.on('message', (answer: BlockAnswer) => {
      const waiting = thread.tasks.shift()
      if (thread.tasks.length === 0) thread.worker.unref()
      if (waiting && 'error' in answer) {
        const { code, message, hint } = answer.error
        waiting.reject(new ZosError(code, message, { hint }))
      } else if (waiting && !('error' in answer)) waiting.resolve(answer)
      this.#feed()
    })
    thread.worker.on('error', (cause) => {
      this.#threads.splice(this.#threads.indexOf(thread), 1)
      this.#fail([thread], new ZosError('BLOCK_POOL', `a thread for blocks ended: ${cause.message}`, { cause }))
    })
    this.#threads.push(thread)
    return thread
  }

  #fail(threads: readonly Thread[], error: ZosError): void {
    for (const { tasks } of threads) for (const { reject } of tasks.splice(0)) reject(error)
    if (this.#threads.length === 0) for (const { reject } of this.#queue.splice(0)) reject(error)
  }
}
