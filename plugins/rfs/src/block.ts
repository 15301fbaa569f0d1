// Blocks as the rfs program cuts, names and seals them: BLAKE2b-256, Snappy (raw), AES-256-GCM.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { createRequire } from 'node:module'
import { ZosError } from '@zos/core'

/** Bytes of every block of a file but its last; readers hard-code it. */
export const blockSize = 524_288

/** Bytes of an id and of a key, of the nonce (the key's first), and of the tag behind the ciphertext. */
const digestSize = 32
const nonceSize = 12
const tagSize = 16

/** Snappy's raw format grows incompressible bytes by at most a sixth and 32 bytes. */
export const sealedLimit = 32 + blockSize + Math.floor(blockSize / 6) + tagSize

/** Where a block lies and how it is opened, both as 64 hex digits. */
export interface Block {
  readonly id: string
  readonly key: string
}

export interface SealedBlock extends Block {
  /** What the store keeps. */
  readonly bytes: Uint8Array
}

/** Names what decides the bytes of a sealed block; the version of the encoder is pinned in package.json. */
export const sealVersion = 'blake2b-256 snappy-7.4.3 aes-256-gcm'

// Native modules that are CommonJS: what `import` makes of them depends on their build.
const require = createRequire(import.meta.url)
const { Blake2BHasher, Blake2BParam } = require('@napi-rs/blake-hash') as typeof import('@napi-rs/blake-hash')
const { compressSync, uncompressSync } = require('snappy') as typeof import('snappy')

const parameters = new Blake2BParam()
parameters.hashLength(digestSize)

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** BLAKE2b with a digest of 32 bytes, which is another function than a longer digest cut short. */
export const blake2b256 = (bytes: Uint8Array): Buffer =>
  Blake2BHasher.withParams(parameters).update(viewOf(bytes)).digestBuffer()

/** Seals one block: at most `blockSize` bytes, at least one. Equal content gives equal bytes. */
export const sealBlock = (plain: Uint8Array): SealedBlock => {
  const key = blake2b256(plain)
  const cipher = createCipheriv('aes-256-gcm', key, key.subarray(0, nonceSize))
  const compressed = compressSync(plain, { copyOutputData: true })
  const bytes = Buffer.concat([cipher.update(compressed), cipher.final(), cipher.getAuthTag()])
  return { id: blake2b256(bytes).toString('hex'), key: key.toString('hex'), bytes }
}

/** Opens a block and checks all of it: its id, the tag, and that the key is the plain bytes' digest. Else `BLOCK_DAMAGED`. */
export const openBlock = ({ id, key }: Block, bytes: Uint8Array): Uint8Array => {
  const damaged = (found: string): ZosError =>
    new ZosError('BLOCK_DAMAGED', `block ${id}: ${found}`, {
      hint: 'the store has other bytes than were packed; pack again to a store without this block',
    })
  if (bytes.length > sealedLimit) throw damaged(`${bytes.length} bytes, more than a block can have`)
  if (bytes.length <= tagSize) throw damaged(`${bytes.length} bytes, fewer than a block has`)
  if (blake2b256(bytes).toString('hex') !== id) throw damaged('its bytes have another digest')
  const keyBytes = Buffer.from(key, 'hex')
  const decipher = createDecipheriv('aes-256-gcm', keyBytes, keyBytes.subarray(0, nonceSize))
  decipher.setAuthTag(bytes.subarray(-tagSize))
  let compressed: Buffer
  try {
    compressed = Buffer.concat([decipher.update(bytes.subarray(0, -tagSize)), decipher.final()])
  } catch (cause) {
    throw new ZosError('BLOCK_DAMAGED', `block ${id}: the flist's key does not open it`, {
      hint: 'the flist is damaged or was not packed with this block',
      cause,
    })
  }
  const size = plainSize(compressed)
  if (size === undefined || size < 1 || size > blockSize)
    throw damaged(`says it unpacks to ${size ?? 'no'} bytes; expected 1 to ${blockSize}`)
  const plain = uncompressSync(compressed, { asBuffer: true, copyOutputData: true }) as Buffer
  if (!blake2b256(plain).equals(keyBytes)) throw damaged('its content has another digest than its key')
  return plain
}

/** Snappy begins with the plain size as a little-endian varint; read before anything is allocated for it. */
const plainSize = (compressed: Uint8Array): number | undefined => {
  let size = 0
  for (let at = 0; at < Math.min(5, compressed.length); at++) {
    const byte = compressed[at]!
    size += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) return size
  }
  return undefined
}
