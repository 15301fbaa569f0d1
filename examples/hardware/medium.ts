// The board's loader wants a block of 512 bytes in front of the program, and whole blocks. Pure: bytes in, bytes out.
import type { Blob } from '@zos/core'

const block = 512

/** `ACME`, the program's size (32 bits, little-endian), its SHA-256, zeros up to 512 bytes. */
export const mediumHead = ({ sha256, size }: Blob): Uint8Array => {
  const head = new Uint8Array(block)
  head.set(new TextEncoder().encode('ACME'))
  new DataView(head.buffer).setUint32(4, size, true)
  head.set(Buffer.from(sha256, 'hex'), 8)
  return head
}

/** Zeros after a program of so many bytes. */
export const padding = (size: number): Uint8Array => new Uint8Array((block - (size % block)) % block)
