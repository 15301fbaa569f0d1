import { definePlugin, ref } from '@zos/core'
import { type RustMuslOptions, rustMuslOptions } from './options.js'

export {
  type CargoOptions,
  type CrateComponent,
  crate,
  type GitComponent,
  type GitOptions,
  git,
  type PathComponent,
  type PathOptions,
  path,
  type ReleaseComponent,
  type ReleaseOptions,
  type RustComponent,
  type RustMuslOptions,
  release,
} from './options.js'

/** Static Rust programs in the image, built here from crates, repositories and folders, or taken from releases. */
export const rustMusl = definePlugin<RustMuslOptions>()({
  name: 'rust-musl',
  version: '0.1.0',
  code: import.meta.url,
  options: rustMuslOptions,
  needs: [
    { tool: 'cargo', install: 'apt-get install rustc-web cargo-web rust-web-src' },
    { tool: 'cc', install: 'apt-get install build-essential', sandboxed: true },
    { tool: 'git', install: 'apt-get install git' },
    { tool: 'zig', install: 'scripts/setup.sh', optional: true, sandboxed: true },
  ],
  /** `tools.component('zinit')`: its slot `tree` has the programs at their places; facts are version, commit, programs. */
  refs: (id) => ({ component: (name: string) => ref(id, name) }),
  apply(hooks, options, { id }) {
    hooks.resolve.tap('components', async (plan) => {
      const { declareComponents } = await import('./declare.js')
      await declareComponents(plan, id, options)
    })

    hooks.pin.for('crate').tap('crate', async (source, ctx) => {
      const { pinCrate } = await import('./crate-source.js')
      return pinCrate(source as Parameters<typeof pinCrate>[0], ctx)
    })
    hooks.pin.for('rust-git').tap('git', async (source, ctx) => {
      const { pinGitCrate } = await import('./git-source.js')
      return pinGitCrate(source as Parameters<typeof pinGitCrate>[0], ctx)
    })
    hooks.pin.for('cargo-vendor').tap('crates', async (source, ctx) => {
      const { pinCrates } = await import('./crates-source.js')
      return pinCrates(source as Parameters<typeof pinCrates>[0], ctx)
    })
    hooks.pin.for('rust-toolchain').tap('toolchain', async () => null)

    hooks.fetch
      .for('crate')
      .tap('crate', async (source, ctx) => (await import('./crate-source.js')).fetchCrate(source, ctx))
    hooks.fetch
      .for('rust-git')
      .tap('git', async (source, ctx) => (await import('./git-source.js')).fetchGitCrate(source, ctx))
    hooks.fetch
      .for('cargo-vendor')
      .tap('crates', async (source, ctx) => (await import('./crates-fetch.js')).fetchCrates(source, ctx))
    hooks.fetch
      .for('rust-toolchain')
      .tap('toolchain', async (source, ctx) => (await import('./toolchain-source.js')).fetchToolchain(source, ctx))

    hooks.build
      .for('rust-sysroot')
      .tap('sysroot', async (_, ctx) => (await import('./build-sysroot.js')).buildSysroot(ctx))
    hooks.build
      .for('rust')
      .tap('program', async (one, ctx) => (await import('./build-program.js')).buildProgram(one, ctx))
    hooks.build
      .for('rust-release')
      .tap('release', async (one, ctx) => (await import('./build-release.js')).buildRelease(one, ctx))

    hooks.assemble.tap('programs', async (tree, ctx) => {
      const delta = tree.delta()
      for (const name of Object.keys(options).sort()) delta.tree(await ctx.tree(ref(id, name, 'tree')))
      return delta
    })
  },
})
