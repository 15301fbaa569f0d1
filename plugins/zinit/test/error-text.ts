import { isZosError } from '@zos/core'

/** Code, message and hint of the ZosError that a function throws. */
export const errorText = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isZosError(error)) return `${error.code} ${error.message} | ${error.hint.join(' ')}`
    throw error
  }
  return 'no error'
}
