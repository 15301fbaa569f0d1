import { ZosError } from '@zos/core'
import { confLines } from './conf-lines.js'
import { isModuleName, moduleNameLimit } from './module-name.js'

/** Stage 1 is loaded before anything else, stage 2 after the network is up. */
export const stages = ['stage1', 'stage2'] as const
export type Stage = (typeof stages)[number]

/** A module that somebody asks for, and who that is: `config/modules.conf:12` or a plugin's id. */
export interface WantedModule {
  readonly name: string
  readonly by: string
}

export type WantedModules = Readonly<Record<Stage, readonly WantedModule[]>>

const code = 'KERNEL_MODULES_CONF'
const limit = 1024 * 1024

/**
 * Reads `modules.conf`: `stage1:NAME` or `stage2:NAME` a line, `#` starts a comment. A third field (once a firmware
 * hint) is ignored. Errors name file and line.
 */
export const parseModulesConf = (text: string, file: string): WantedModules => {
  const wanted: Record<Stage, WantedModule[]> = { stage1: [], stage2: [] }
  for (const { number, text: line } of confLines(text, { file, code, limit })) {
    const by = `${file}:${number}`
    const [stage, name] = line.split(':', 2).map((field) => field.trim())
    if (stage !== 'stage1' && stage !== 'stage2') {
      throw new ZosError(code, `${by}: found ${quoted(line)}, expected stage1:NAME or stage2:NAME`, {
        hint: 'say with stage1: that a module is loaded first, with stage2: that it is loaded after the network',
      })
    }
    wanted[stage].push({ name: moduleNameOrThrow(name ?? '', by), by })
  }
  return wanted
}

/** Checks a name that came from a config or a wish. `by` says whose it is. */
export const moduleNameOrThrow = (name: string, by: string): string => {
  if (isModuleName(name)) return name
  throw new ZosError(
    code,
    `${by}: ${quoted(name)} is not a module's name; expected up to ${moduleNameLimit} letters, digits, - and _`,
    /\.ko|\//.test(name) ? { hint: 'give the name alone, without folder and .ko' } : {},
  )
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
