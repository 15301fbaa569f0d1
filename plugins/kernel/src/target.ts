import type { Arch } from '@zos/core'

/** What the kernel's own build calls an architecture, and what it makes there. */
export interface KernelTarget {
  /** `ARCH`, and the name of the folder in `arch/`. */
  readonly arch: string
  /** Prefix of the cross compiler; empty where the machine that builds is of the architecture itself. */
  readonly prefix: string
  /** Debian's package of the compiler. */
  readonly compiler: string
  /** Target of make for the image, and where it leaves it. */
  readonly image: string
  readonly imagePath: string
  /** Folders of `arch/` that are read; the others are not unpacked. */
  readonly reads: readonly string[]
  /** Makefiles outside of `arch/` that the image's own includes. */
  readonly includes: readonly string[]
}

export const kernelTargets: Readonly<Record<Arch, KernelTarget>> = {
  x86_64: {
    arch: 'x86',
    prefix: '',
    compiler: 'gcc',
    image: 'bzImage',
    imagePath: 'arch/x86/boot/bzImage',
    reads: ['x86'],
    includes: [],
  },
  aarch64: {
    arch: 'arm64',
    prefix: 'aarch64-linux-gnu-',
    compiler: 'gcc-aarch64-linux-gnu',
    image: 'Image',
    imagePath: 'arch/arm64/boot/Image',
    reads: ['arm', 'arm64'],
    includes: ['drivers/firmware/efi/libstub/Makefile.zboot'],
  },
}
