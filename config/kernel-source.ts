// Which kernel: a release of kernel.org, compiled with the initramfs inside, or one of Alpine's own as it is.
import type { alpine } from '@zos/alpine'
import { kernelOrg } from '@zos/kernel'

/** Alpine's kernels by the names that KERNEL_VERSION takes; their packages are `linux-NAME`. */
const ofAlpine = ['lts', 'virt', 'stable', 'edge']

const consoles = { x86_64: 'console=tty0 console=ttyS0,115200', aarch64: 'console=tty0 console=ttyAMA0' }

type Arch = keyof typeof consoles
type Base = ReturnType<typeof alpine>

/** A kernel of Alpine's: the initramfs is joined to it by systemd's EFI stub. */
const alpineKernel = (name: string, base: Base, arch: Arch) => ({
  source: base.tree([`linux-${name}`]),
  embed: 'uki' as const,
  stub: base.tree(['systemd-efistub']),
  cmdline: `${consoles[arch]} panic=10 quiet`,
})

/** The part of the kernel's options that says where it comes from. */
export const kernelSource = (version: string, base: Base, arch: Arch) =>
  ofAlpine.includes(version)
    ? alpineKernel(version, base, arch)
    : {
        source: kernelOrg(version),
        config: { base: 'defconfig', fragments: ['config/kernel.config', `config/kernel.${arch}.config`] },
        localVersion: '-Zero-OS',
        embed: 'builtin' as const,
        cmdline: `${consoles[arch]} panic=10 quiet`,
      }
