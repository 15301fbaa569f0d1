// A small machine that builds where only package registries can be reached: Debian's packages and kernel, zinit from
// its crate. It boots, provisions its disks, takes an address by DHCP, starts an SSH server and says when it is ready.
import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'
import { rfs } from '@zos/rfs'
import { crate, path, rustMusl } from '@zos/rust-musl'
import { folder } from '@zos/s3'
import { zinit } from '@zos/zinit'
import { zosstorage } from '@zos/zosstorage'

export const base = debian({
  suite: 'bookworm',
  packages: ['busybox-static', 'kmod', 'btrfs-progs', 'dosfstools', 'iproute2', 'dropbear-bin'],
})

const tools = rustMusl({
  zinit: crate('zinit', '0.3.9', {
    defaultFeatures: false,
    features: ['client', 'server', 'pid1'],
    // Its first process uses names that the library no longer has.
    patches: ['config/quickstart/zinit-pid1.patch'],
    install: { zinit: '/sbin/zinit', 'zinit-server': '/sbin/zinit-server', 'zinit-pid1': '/sbin/zinit-pid1' },
  }),
  zosstorage: path('plugins/zosstorage/crate'),
})

const linux = kernel({
  source: base.tree(['linux-image-6.12-cloud-amd64']),
  modules: 'config/quickstart/modules.conf',
  units: true,
  embed: 'uki',
  stub: base.tree(['systemd-boot-efi']),
  cmdline: 'console=ttyS0 panic=10 quiet',
})

// Modules and firmware as flists; `zos build --publish` sends them and their blocks to a folder. The machine itself mounts
// none: the rfs program cannot be had from a package registry.
const published = folder({ path: 'dist/quickstart/published' })
const flists = rfs({
  flists: { modules: linux.modules, firmware: base.tree(['firmware-linux-free']) },
  store: { path: 'dist/quickstart/published/blobs', route: 'dir:///var/lib/rfs/blocks' },
  mount: 'none',
})

export default defineConfig({
  name: 'quickstart',
  plugins: [
    base,
    linux,
    tools,
    zinit({
      program: tools.component('zinit'),
      services: 'config/quickstart/zinit',
      init: 'config/quickstart/init',
      root: 'in-place',
    }),
    zosstorage({ program: tools.component('zosstorage') }),
    flists,
    published,
  ],
  publish: [published.manifests()],
})
