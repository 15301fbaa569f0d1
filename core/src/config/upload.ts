import { booleanOf } from './overrides.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The variable that switches a publish target, by the component that the target's reference names. */
const switches: Readonly<Record<string, string>> = { kernels: 'UPLOAD_KERNEL', manifests: 'UPLOAD_MANIFESTS' }

const switchOf = (component: string, env: Environment): boolean | undefined => {
  const name = switches[component]
  const text = name === undefined ? undefined : env[name]
  return name === undefined || !text ? undefined : booleanOf(name, text)
}

/** Whether a target is published to: as its variable says, else where publishing was asked for. */
export const isTargetOn = (component: string, asked: boolean, env: Environment): boolean =>
  switchOf(component, env) ?? asked

/** Variables that switch components off, each once. */
export const offBy = (components: readonly string[], env: Environment): string[] => [
  ...new Set(components.filter((one) => switchOf(one, env) === false).map((one) => switches[one]!)),
]

/** Whether a variable asks for publishing. */
export const isUploadAsked = (env: Environment): boolean =>
  Object.keys(switches).some((component) => switchOf(component, env) === true)
