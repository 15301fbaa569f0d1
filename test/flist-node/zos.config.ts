// A node with flists, for test/flist-node.system.ts: the modules that the image has not, and firmware, each as an overlay.
import { defineConfig, definePlugin, ref, secret } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'
import { rfs } from '@zos/rfs'
import { crate, rustMusl } from '@zos/rust-musl'
import { s3 } from '@zos/s3'
import { zinit } from '@zos/zinit'
import * as v from 'valibot'

const base = debian({ suite: 'bookworm', packages: ['busybox-static', 'kmod', 'fuse3', 'openssl', 'util-linux'] })

// As the quickstart has it, so that it is compiled once.
const tools = rustMusl({
  zinit: crate('zinit', '0.3.9', {
    defaultFeatures: false,
    features: ['client', 'server', 'pid1'],
    patches: ['config/quickstart/zinit-pid1.patch'],
    install: { zinit: '/sbin/zinit', 'zinit-server': '/sbin/zinit-server', 'zinit-pid1': '/sbin/zinit-pid1' },
  }),
})

const linux = kernel({
  source: base.tree(['linux-image-6.12-cloud-amd64']),
  modules: 'modules.conf',
  units: true,
  embed: 'none',
})

/** The program that mounts and firmware of the image, as the test has laid them down; firmware that the project's own precedes. */
const files = definePlugin()({
  name: 'files',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({}),
  refs: (id) => ({ firmware: ref(id, 'firmware', 'root') }),
  apply(hooks) {
    hooks.resolve.tap('firmware', (plan) =>
      plan.component({ name: 'firmware', kind: 'firmware-folder', options: null }),
    )
    hooks.build
      .for('firmware-folder')
      .tap('firmware', async (_, ctx) => ({ trees: { root: await ctx.project.folder('packages') } }))
    hooks.assemble.tap('files', async (tree, ctx) =>
      tree
        .delta({ over: ['debian'] })
        // As Alpine has it: fusermount3 alone.
        .remove('/usr/bin/fusermount')
        .file('/usr/bin/rfs', await ctx.project.bytes('rfs'), { mode: 0o755 })
        .tree(await ctx.project.folder('image'))
        // The route names one place for the machine that publishes and for the node: QEMU's way to the host.
        .file('/etc/hosts', '10.0.2.2 localhost\n')
        .file('/etc/flist-node/server', await ctx.project.bytes('server')),
    )
  },
})
const own = files()
const store = s3({ config: 'config/rfs.conf', sign: { key: secret('PUBLISH_KEY') }, trust: 'publish.pub' })

export default defineConfig({
  name: 'flist-node',
  initramfs: { compression: 'zstd', level: 1 },
  plugins: [
    base,
    linux,
    tools,
    zinit({ program: tools.component('zinit'), services: 'zinit', init: 'config/quickstart/init', root: 'in-place' }),
    own,
    store,
    rfs({
      flists: { modules: linux.modules, besides: linux.imageModules, firmware: own.firmware },
      store: store.blocks,
      firmwareTag: 'test',
      limit: 30,
    }),
  ],
  publish: [store.manifests()],
})
