/**
 * A typed token by which plugins ask each other for things: exported by the owner's package, used in
 * `plan.wish(token, value)`. `T` is what is wished, `S` what the owner settles all wishes into.
 */
export interface WishToken<T, S = readonly T[]> {
  readonly name: string
  /** Only for the compiler: never set. */
  readonly types?: { readonly wish: T; readonly settled: S }
}

export const wishToken = <T, S = readonly T[]>(name: string): WishToken<T, S> => ({ name })

/** One wish and who made it. Wishes reach their owner sorted by plugin order, then by canonical text. */
export interface Wish<T> {
  readonly value: T
  /** Plugin id of the wisher. */
  readonly by: string
}
