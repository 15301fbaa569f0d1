// Seals the files of a folder and sends their blocks to stores; what the last pack of the folder sealed is taken from it.
import { type Blob, type BlobWriter, type HostFile, sha256, ZosError } from '@zos/core'
import type { Block } from './block.js'
import type { BlockPool } from './block-pool.js'
import { hasBlock, type OpenRoute, putBlock } from './block-store.js'
import { sealContent } from './cut.js'

/** What is kept of a file for the next pack: its stamp, and of each block id, key and sealed size. */
export type FileMemory = Readonly<
  Record<string, readonly [stamp: string, ...blocks: (readonly [id: string, key: string, size: number])[]]>
>

export const knownBlocks = (memory: FileMemory): number =>
  Object.values(memory).reduce((sum, [, ...blocks]) => sum + blocks.length, 0)

export interface PackCounts {
  /** Files, and their bytes. */
  files: number
  bytes: number
  /** Files whose blocks were known. */
  known: number
  /** Blocks that a store took, and their bytes. */
  sent: number
  sentBytes: number
}

export class FolderPacker implements BlobWriter {
  readonly counts: PackCounts = { files: 0, bytes: 0, known: 0, sent: 0, sentBytes: 0 }
  readonly #pool: BlockPool
  readonly #routes: readonly OpenRoute[]
  readonly #before: FileMemory
  /** Blocks by what stands for a file's content. */
  readonly #contents = new Map<string, readonly Block[]>()
  readonly #stamps = new Map<string, string>()
  /** Blocks that are in the stores or on their way; equal blocks are sent once. */
  readonly #stored = new Map<string, Promise<boolean>>()
  /** Sealed sizes of blocks, by id. */
  readonly #sizes = new Map<string, number>()
  readonly #onChange: () => void

  constructor(pool: BlockPool, routes: readonly OpenRoute[], before: FileMemory, onChange: () => void) {
    this.#pool = pool
    this.#routes = routes
    this.#before = before
    this.#onChange = onChange
  }

  /** The content of a file that has not changed since the last pack and whose blocks all stores have. */
  readonly known = async ({ path, size, stamp }: HostFile): Promise<Blob | undefined> => {
    if (stamp === undefined) return undefined
    this.#stamps.set(path, stamp)
    const [before, ...sealed] = this.#before[path] ?? []
    if (before !== stamp) return undefined
    const blocks = sealed.map(([id, key]) => ({ id, key }))
    const present = await Promise.all(sealed.map(([id, key, bytes]) => this.#has({ id, key }, bytes)))
    if (present.includes(false)) return undefined
    this.counts.known++
    return this.#add(blocks, size)
  }

  async put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob> {
    if (typeof content === 'string') throw new ZosError('FLIST_CONTENT', 'files are read as bytes')
    let size = 0
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        size += chunk.length
        yield chunk
      }
    }
    const blocks = await sealContent(counted(), this.#pool, (block, bytes) => this.#send(block, bytes))
    return this.#add(blocks, size)
  }

  blocks({ sha256: digest }: Blob): readonly Block[] {
    return this.#contents.get(digest) ?? []
  }

  /** What the next pack may take from this one, by path in the folder. */
  memory(files: Iterable<readonly [path: string, content: Blob]>): FileMemory {
    const kept: Record<string, FileMemory[string]> = {}
    for (const [path, content] of files) {
      const stamp = this.#stamps.get(path)
      if (stamp === undefined) continue
      kept[path] = [stamp, ...this.blocks(content).map(({ id, key }) => [id, key, this.#sizes.get(id) ?? 0] as const)]
    }
    return kept
  }

  #add(blocks: readonly Block[], size: number): Blob {
    const digest = sha256(`${size} ${blocks.map(({ id, key }) => `${id}${key}`).join(' ')}`)
    this.#contents.set(digest, blocks)
    this.counts.files++
    this.counts.bytes += size
    this.#onChange()
    return { sha256: digest, size }
  }

  #has(block: Block, size: number): Promise<boolean> {
    this.#sizes.set(block.id, size)
    const stored = this.#stored.get(block.id)
    if (stored) return stored
    const asked = hasBlock(this.#routes, block, size)
    this.#stored.set(block.id, asked)
    return asked
  }

  async #send(block: Block, bytes: Uint8Array): Promise<void> {
    this.#sizes.set(block.id, bytes.length)
    if (await this.#stored.get(block.id)) return
    const sending = putBlock(this.#routes, block, async () => bytes, bytes.length).then((taken) => {
      if (taken > 0) {
        this.counts.sent++
        this.counts.sentBytes += bytes.length
        this.#onChange()
      }
      return true
    })
    this.#stored.set(block.id, sending)
    await sending
  }
}
