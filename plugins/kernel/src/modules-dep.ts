import { ZosError } from '@zos/core'

/** `modules.dep`: a module's path → the paths of all that it needs, nearest first; below the version's folder. */
export type ModulesDep = ReadonlyMap<string, readonly string[]>

const code = 'KERNEL_MODULES_DEP'
const limit = 64 * 1024 * 1024

/** Reads depmod's `modules.dep`: `PATH: PATH…` a line. Errors name the line. */
export const parseModulesDep = (text: string, file = 'modules.dep'): ModulesDep => {
  if (text.length > limit) throw new ZosError(code, `${file} has more than ${limit} characters`)
  const deps = new Map<string, readonly string[]>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const path = line.slice(0, colon)
    if (colon < 1 || /\s/.test(path)) {
      throw new ZosError(code, `${file}:${index + 1}: found ${JSON.stringify(line.slice(0, 80))}, expected PATH: PATH…`)
    }
    if (deps.has(path)) throw new ZosError(code, `${file}:${index + 1}: ${path} a second time`)
    deps.set(
      path,
      line
        .slice(colon + 1)
        .split(' ')
        .filter((word) => word !== ''),
    )
  }
  return deps
}
