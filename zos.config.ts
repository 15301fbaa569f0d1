// The Zero-OS image. This file only wires things up; what goes into the image is in config/.
import { alpine } from '@zos/alpine'
import { defineConfig } from '@zos/core'
import { kernel } from '@zos/kernel'
import { rfs } from '@zos/rfs'
import { git, path, release, rustMusl } from '@zos/rust-musl'
import { s3 } from '@zos/s3'
import { system } from '@zos/system'
import { zinit } from '@zos/zinit'
import { zosstorage } from '@zos/zosstorage'
import { kernelSource } from './config/kernel-source.ts'

export const base = alpine({ branch: '3.22', packages: 'config/packages.list', firmware: 'config/firmware.conf' })

const tools = rustMusl({
  zinit: git('https://github.com/threefoldtech/zinit', {
    ref: 'master',
    install: { zinit: '/sbin/zinit' },
    // From 0.3 on the first process and the server are programs of their own.
    optionalInstall: { 'zinit-pid1': '/sbin/zinit-pid1', 'zinit-server': '/sbin/zinit-server' },
  }),
  rfs: git('https://github.com/threefoldtech/rfs', {
    ref: 'development',
    features: ['build-binary'],
    tools: ['perl', 'make'],
    // Its build script would download this archive of a web page.
    files: { 'swagger-ui.zip': { url: 'https://github.com/swagger-api/swagger-ui/archive/refs/tags/v5.17.14.zip' } },
    env: { SWAGGER_UI_DOWNLOAD_URL: 'file:///build/files/swagger-ui.zip' },
  }),
  mycelium: git('https://github.com/threefoldtech/mycelium', {
    ref: 'v0.6.1',
    subdir: 'myceliumd',
    tools: ['perl', 'make'],
  }),
  corex: release('https://github.com/threefoldtech/corex/releases/download/2.1.4/corex-2.1.4-amd64-linux-static', {
    rename: 'corex',
  }),
  zosstorage: path('plugins/zosstorage/crate'),
})

const store = s3({ config: 'config/rfs.conf' })

export default defineConfig(({ env, arch, mode }) => {
  const linux = kernel({
    ...kernelSource(env.KERNEL_VERSION ?? '6.12.44', base, arch),
    modules: 'config/modules.conf',
    include: 'standard',
    firmware: { list: 'config/firmware.conf', tree: base.firmware },
    nameAfter: tools.component('zinit'),
  })
  return {
    name: 'zero-os',
    // A debug image is built often, a release loaded often.
    initramfs: { compression: 'xz', level: mode === 'release' ? 6 : 1 },
    plugins: [
      base,
      linux,
      tools,
      system({ title: 'Zero-OS', debugInjection: 'config/debug-inject.sh' }),
      zosstorage({ program: tools.component('zosstorage') }),
      zinit({ program: tools.component('zinit'), services: 'config/zinit', init: 'config/init' }),
      store,
      rfs({
        store: store.blocks,
        // The flist has all firmware there is; firmware.conf says what the initramfs has.
        flists: { modules: linux.modules, besides: linux.imageModules, firmware: base.tree(['linux-firmware']) },
      }),
    ],
    publish: [store.kernels(), store.manifests()],
  }
})
