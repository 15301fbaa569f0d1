// A small machine that builds where only package registries can be reached: Debian's packages and kernel, zinit from
// its crate. It boots, takes an address by DHCP, starts an SSH server and says when it is ready.
import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'
import { crate, rustMusl } from '@zos/rust-musl'
import { zinit } from '@zos/zinit'

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
})

const linux = kernel({
  source: base.tree(['linux-image-6.12-cloud-amd64']),
  modules: 'config/quickstart/modules.conf',
  embed: 'uki',
  stub: base.tree(['systemd-boot-efi']),
  cmdline: 'console=ttyS0 panic=10 quiet',
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
  ],
})
