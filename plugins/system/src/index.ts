import { definePlugin } from '@zos/core'
import { type SystemOptions, stripTool, systemOptions } from './options.js'

export type { SystemOptions } from './options.js'

/** What a machine is called, who may log in, what stays behind, and whether its programs can start. */
export const system = definePlugin<SystemOptions>()({
  name: 'system',
  version: '0.1.0',
  code: import.meta.url,
  options: systemOptions,
  env: { ZEROOS_BRANDING: 'branding', ZEROOS_PASSWORDLESS_ROOT: 'passwordlessRoot' },
  needs: [{ tool: stripTool, install: 'apt-get install elfutils', optional: true, sandboxed: true }],
  apply(hooks, options) {
    hooks.assemble.tap('branding', async (tree, ctx) => (await import('./branding.js')).brand(tree, ctx, options))
    hooks.assemble.tap('login', async (tree, ctx) => (await import('./login.js')).putLogin(tree, ctx, options))
    hooks.assemble.tap('debug', async (tree, ctx) => (await import('./debug.js')).putInjection(tree, ctx, options))
    hooks.optimize.tap({ name: 'cleanup', order: 'pre' }, async (tree, ctx) =>
      (await import('./cleanup.js')).cleanUp(tree, ctx, options),
    )
    hooks.optimize.tap('strip', async (tree, ctx) => (await import('./strip.js')).strip(tree, ctx, options))
    hooks.check.tap('login', async (tree) => (await import('./login.js')).loginFindings(tree))
    hooks.check.tap('debug', async (tree, ctx) => (await import('./debug.js')).injectionFindings(tree, ctx))
    hooks.check.tap('keys', async (tree) => (await import('./private-keys.js')).privateKeyFindings(tree))
    hooks.check.tap('libraries', async (tree, ctx) =>
      (await import('./libraries.js')).libraryFindings(tree, ctx, options.unlinked ?? []),
    )
  },
})
