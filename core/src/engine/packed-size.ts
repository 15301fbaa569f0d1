// What contents take in the image, compressed by themselves.
import { dictionaryOf, levelOf } from '../builtin/initramfs.js'
import { compress, compressionIdentity } from '../format/compress.js'
import { encodeXzBlock, XZ_BLOCK_LIMIT, xzIdentity } from '../format/xz-encode.js'
import type { Json } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'
import { rememberArtifact } from './memo.js'
import type { Session } from './session.js'

/** Bytes of all contents in a row, compressed with the settings of the config's initramfs. */
export const packedSize = async (session: Session, contents: readonly Blob[]): Promise<number> => {
  const { blobs } = session.store
  const { compression = 'xz', level: asked } = session.config.initramfs
  const level = levelOf(compression, asked)
  const size = contents.reduce((sum, blob) => sum + blob.size, 0)
  if (compression === 'none' || size === 0) return size
  if (compression === 'xz' && size > XZ_BLOCK_LIMIT && contents.length > 1) {
    const half = contents.length >> 1
    return (await packedSize(session, contents.slice(0, half))) + (await packedSize(session, contents.slice(half)))
  }
  const plain = async function* () {
    for (const blob of contents) yield* blobs.stream(blob)
  }
  const remember = (settings: { readonly [name: string]: Json }, measure: () => Promise<number>) =>
    rememberArtifact(
      session,
      'core',
      'packed-size-2',
      { ...settings, compression, level, contents: contents.map(({ sha256 }) => sha256) },
      () => session.limiter(async () => ({ facts: { bytes: await measure() } })),
    )
  const xz = async () => {
    const dictSize = await dictionaryOf(level)
    return remember({ codec: xzIdentity(), dictSize }, async () => {
      const { bytes } = await encodeXzBlock({ size, chunks: plain() }, { preset: level, dictSize })
      return bytes.length
    })
  }
  const others = (kind: 'gzip' | 'zstd') =>
    remember({ codec: compressionIdentity(kind) }, async () => {
      let bytes = 0
      for await (const chunk of compress({ kind, level }, plain())) bytes += chunk.length
      return bytes
    })
  const { facts } = await (compression === 'xz' ? xz() : others(compression))
  return Number(facts?.bytes)
}
