import type { DeltaBuilder, Finding, TapContext, TreeView } from '@zos/core'
import type { SystemOptions } from './options.js'

/** Where `/init` looks for the script; without the file it injects nothing. */
const injection = '/etc/zos/debug-inject.sh'

/** What only a script that injects files would say: the kernel's parameter, and the volume's label. */
const injectors = /\bzos\.debug\b|\bZOSDEBUG\b/

/** Puts the script that injects files at boot into a debug image. */
export const putInjection = async (
  tree: TreeView,
  ctx: TapContext,
  { debugInjection }: SystemOptions,
): Promise<DeltaBuilder> => {
  const delta = tree.delta()
  if (debugInjection === undefined || ctx.mode === 'release') return delta
  return delta.file(injection, await ctx.project.bytes(debugInjection), { mode: 0o755 })
}

/** A release image takes no files at boot, whoever put such a script into it. */
export const injectionFindings = async (tree: TreeView, ctx: TapContext): Promise<Finding[]> => {
  if (ctx.mode !== 'release') return []
  const found: string[] = []
  if (tree.get(injection) !== undefined) found.push(injection)
  if (tree.get('/init')?.kind === 'file' && injectors.test(await tree.text('/init'))) found.push('/init')
  return found.map((path) => ({
    level: 'error',
    code: 'SYSTEM_DEBUG_INJECTION',
    subject: path,
    message: 'would put files of a debug volume into a release image when it boots',
    hint: 'name the script with system({ debugInjection }), which leaves it out of a release',
  }))
}
