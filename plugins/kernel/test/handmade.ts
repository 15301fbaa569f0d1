import type { ModuleFacts, ModuleIndex } from '../dist/module-index.js'

/** A module of a handmade kernel: its name and what differs from having nothing. */
export const module = (name: string, facts: Partial<ModuleFacts> = {}): ModuleFacts => ({
  name,
  path: `kernel/${name}.ko.xz`,
  depends: [],
  pre: [],
  post: [],
  weak: [],
  firmware: [],
  aliases: [],
  ...facts,
})

export const kernelOf = (modules: readonly ModuleFacts[], builtin: readonly string[] = []): ModuleIndex => ({
  version: '6.12.1-test',
  modules,
  builtin: builtin.map((name) => ({ name, firmware: [] })),
})

/** The ZosError that a call ends with; a call that ends well fails the test. */
export const errorOf = (call: () => unknown): { code: string; message: string; hint: readonly string[] } => {
  try {
    call()
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: readonly string[] }
    if (typeof code !== 'string') throw error
    return { code, message, hint }
  }
  throw new Error('expected an error')
}
