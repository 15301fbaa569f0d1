import * as v from 'valibot'
import { ExitCode, ZosError } from '../error.js'
import { isRef, type Ref } from '../model/artifact.js'

const secretBrand = 'zos.secret'

/** A secret as an option: the variable's name, never its value. Opened only in fetch and publish. */
export interface Secret {
  readonly $: typeof secretBrand
  readonly env: string
}

/** Names the environment variable that holds a secret: `secret('S3_SECRET_KEY')`. */
export const secret = (env: string): Secret => ({ $: secretBrand, env })

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && (value as { $?: unknown }).$ === secretBrand

/** The value of a secret option. */
export const openSecret = (value: unknown, env: Readonly<Record<string, string | undefined>>): string => {
  const name = isSecret(value) ? value.env : ''
  const text = env[name]
  if (text) return text
  throw new ZosError('SECRET_MISSING', `the secret ${name} is not set in the environment`, {
    hint: `set it for this command alone: ${name}=$(cat FILE) zos …`,
    exit: ExitCode.config,
  })
}

/** Names of the variables that hold the secrets in plain data. */
export const secretVariables = (value: unknown, found = new Set<string>()): ReadonlySet<string> => {
  if (isSecret(value)) found.add(value.env)
  else if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) secretVariables(member, found)
  return found
}

/** Schema of an option that is a reference to what another plugin makes. */
export const refOption = v.custom<Ref>(isRef, 'expected a reference to another plugin, such as `base.tree([…])`')

/** Schema of an option that is a secret. */
export const secretOption = v.custom<Secret>(isSecret, "expected secret('NAME_OF_VARIABLE')")
