import { ZosError } from '@zos/core'
import { moduleNameOf } from './module-name.js'

const code = 'KERNEL_MODULES_BUILTIN'
const limit = 16 * 1024 * 1024

/** Reads `modules.builtin`: a path a line of what could be a module and is in the image. Gives canonical names, sorted. */
export const parseModulesBuiltin = (text: string): string[] => {
  if (text.length > limit) throw new ZosError(code, `modules.builtin has more than ${limit} characters`)
  const names = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue
    if (!/^[^\s/]\S*\.ko$/.test(line)) {
      const found = JSON.stringify(line.slice(0, 80))
      throw new ZosError(code, `modules.builtin:${index + 1}: found ${found}, expected a path ending in .ko`)
    }
    names.add(moduleNameOf(line))
  }
  return [...names].sort()
}
