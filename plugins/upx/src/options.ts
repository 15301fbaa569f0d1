import * as v from 'valibot'

/** Which programs are packed. */
export interface UpxOptions {
  /**
   * `smaller` (where nothing is said): a program stays packed where the compressed image gets smaller by it; `always`: wherever
   * it can be packed.
   */
  readonly when?: 'smaller' | 'always'
  /** Patterns of programs to look at; all of the image where nothing is said. */
  readonly files?: readonly string[]
  /** Patterns of programs that stay as they are. */
  readonly keep?: readonly string[]
}

const patterns = v.exactOptional(
  v.array(v.pipe(v.string(), v.regex(/^\/[^\p{Cc}]+$/u, 'expected a pattern that begins with /'))),
)

export const upxOptions: v.GenericSchema<UpxOptions> = v.strictObject({
  when: v.exactOptional(v.picklist(['smaller', 'always'])),
  files: patterns,
  keep: patterns,
})
