import { isZosError, type ZosError } from '../error.js'

/** Runs a parser on input that may be anything: it gives a value or a ZosError, never another failure. */
export const survives = <T>(run: () => T): T | undefined => {
  try {
    return run()
  } catch (error) {
    if (isZosError(error)) return undefined
    throw error
  }
}

/** The ZosError of a call that has to fail. */
export const errorOf = (run: () => unknown): ZosError => {
  try {
    run()
  } catch (error) {
    if (isZosError(error)) return error
    throw error
  }
  throw new Error('expected an error, but there was none')
}

/** The ZosError of a promise that has to fail. */
export const rejection = async (promise: Promise<unknown>): Promise<ZosError> => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  return errorOf(() => {
    if (outcome) throw outcome.error
  })
}
