/** Says that `size` bytes at `offset` were wanted for `what`, but the input ends before. */
export type OutsideError = (what: string, offset: number, size: number) => Error

/** Reads the fields of a binary format by offset. Whatever does not lie inside the bytes throws the given error. */
export class BoundedView {
  readonly bytes: Uint8Array
  readonly littleEndian: boolean
  readonly #view: DataView
  readonly #outside: OutsideError

  constructor(bytes: Uint8Array, outside: OutsideError, littleEndian = true) {
    this.bytes = bytes
    this.littleEndian = littleEndian
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#outside = outside
  }

  #check(offset: number, size: number, what: string): void {
    const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(size) && offset >= 0 && size >= 0
    if (!inside || offset + size > this.bytes.length) throw this.#outside(what, offset, size)
  }

  u8(offset: number, what: string): number {
    this.#check(offset, 1, what)
    return this.#view.getUint8(offset)
  }

  u16(offset: number, what: string): number {
    this.#check(offset, 2, what)
    return this.#view.getUint16(offset, this.littleEndian)
  }

  u32(offset: number, what: string): number {
    this.#check(offset, 4, what)
    return this.#view.getUint32(offset, this.littleEndian)
  }

  /** A 64-bit field as a number: what is above 2^53 - 1 counts as outside of the bytes. */
  u64(offset: number, what: string): number {
    const value = this.u64Wide(offset, what)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#outside(what, offset, 8)
    return Number(value)
  }

  /** A 64-bit field that may use all its bits, such as an address. */
  u64Wide(offset: number, what: string): bigint {
    this.#check(offset, 8, what)
    return this.#view.getBigUint64(offset, this.littleEndian)
  }

  /** A view, not a copy. */
  slice(offset: number, size: number, what: string): Uint8Array {
    this.#check(offset, size, what)
    return this.bytes.subarray(offset, offset + size)
  }

  /** The bytes up to the next NUL, read as UTF-8. No NUL within `limit` bytes counts as outside. */
  text(offset: number, limit: number, what: string): string {
    this.#check(offset, 1, what)
    const window = this.bytes.subarray(offset, offset + limit)
    const end = window.indexOf(0)
    if (end < 0) throw this.#outside(what, offset, limit)
    return new TextDecoder().decode(window.subarray(0, end))
  }
}
