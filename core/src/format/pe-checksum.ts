const fold = (sum: number): number => {
  let rest = sum
  while (rest > 0xffff) rest = (rest % 0x1_0000) + Math.floor(rest / 0x1_0000)
  return rest
}

/**
 * The 16-bit sum of a PE image's part that begins at an even offset, fed in chunks of any length: words are added with
 * their carry, so the sums of parts add up to that of the whole, and can be remembered.
 */
export class PeSum {
  #sum = 0
  #odd = false

  update(chunk: Uint8Array): this {
    let at = 0
    let sum = this.#sum
    if (this.#odd && chunk.length > 0) sum += chunk[at++]! * 0x100
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    // 2^16 is 1 where carries are added back, so two words can be added as one of 32 bits. A chunk of 2^31 bytes stays
    // below 2^61, so it is folded on the way.
    for (; at + 4 <= chunk.length; at += 4) {
      sum += view.getUint32(at, true)
      if (sum > 2 ** 52) sum = fold(sum)
    }
    if (chunk.length - at >= 2) {
      sum += view.getUint16(at, true)
      at += 2
    }
    const rest = at < chunk.length
    if (rest) sum += chunk[at]!
    if (chunk.length > 0) this.#odd = rest
    this.#sum = fold(sum)
    return this
  }

  get value(): number {
    return this.#sum
  }
}

/** The image's CheckSum field from the sums of its parts, with that field taken as zero, and the file's length. */
export const peChecksum = (sums: readonly number[], fileSize: number): number =>
  fold(sums.reduce((sum, part) => sum + part, 0)) + fileSize
