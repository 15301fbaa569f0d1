// An image of one file: it is about where the outputs go.
import { defineConfig, definePlugin } from '@zos/core'
import * as v from 'valibot'
import { sumsTarget } from './sums-target.ts'

const motd = definePlugin()({
  name: 'motd',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({}),
  apply(hooks) {
    hooks.assemble.tap('motd', async (tree) => tree.delta().file('/etc/motd', 'Welcome.\n', { mode: 0o644 }))
  },
})

const releases = sumsTarget({ path: 'releases', release: '2025.1' })

export default defineConfig({
  name: 'publish-target',
  plugins: [motd(), releases],
  publish: [releases.release()],
})
