import { ZosError } from '../error.js'
import { BoundedView } from './bounded-view.js'

export interface BzImage {
  /** The version string as built: `6.12.44-Zero-OS (builder@host) #1 SMP …`. */
  readonly banner: string
  /** What `uname -r` will say; the first word of the banner, and the name of the modules' folder. */
  readonly release: string
  /** Boot protocol, for instance 2.15. */
  readonly protocol: string
  /** It can be entered as a 64-bit kernel. */
  readonly is64Bit: boolean
  /** Bytes that the kernel needs in memory from where it is loaded until it runs; 0 before protocol 2.10. */
  readonly initSize: number
}

/** As much of the file's beginning as `readBzImage` ever looks at, in bytes: the pointers in it have 16 bits. */
export const BZIMAGE_HEAD = 0x1_0000 + 0x200 + 512

/** The kernel's own array for the banner is shorter. */
const BANNER_LIMIT = 512
/** UTS_RELEASE is at most 64 characters; the kernel's build checks it. */
const RELEASE = /^[!-~]{1,64}$/

const bad = (code: string, message: string): ZosError =>
  new ZosError(code, `kernel image: ${message}`, {
    hint: 'expected a bzImage for x86, as distributions have in /boot/vmlinuz-*',
  })

/**
 * Reads the setup header of an x86 bzImage from its first `BZIMAGE_HEAD` bytes. Format: the kernel's
 * Documentation/arch/x86/boot.rst. Throws `BZIMAGE_FORMAT` or `BZIMAGE_TRUNCATED`.
 */
export const readBzImage = (bytes: Uint8Array): BzImage => {
  const view = new BoundedView(bytes, (what, at) =>
    bad('BZIMAGE_TRUNCATED', `${what} at byte ${at} is not inside the ${bytes.length} bytes`),
  )
  if (view.u16(0x1fe, 'boot flag') !== 0xaa55) throw bad('BZIMAGE_FORMAT', 'no boot flag 55 aa at byte 510')
  if (view.u32(0x202, 'header magic') !== 0x5372_6448) throw bad('BZIMAGE_FORMAT', 'no HdrS at byte 514')
  const version = view.u16(0x206, 'protocol')
  if (version < 0x202) throw bad('BZIMAGE_FORMAT', `boot protocol ${version.toString(16)}; expected at least 2.02`)
  // Zero stands for 4, for old kernels' sake.
  const setupSize = (1 + (view.u8(0x1f1, 'setup sectors') || 4)) * 512
  const pointer = view.u16(0x20e, 'version pointer') + 0x200
  if (pointer === 0x200 || pointer >= setupSize) {
    throw bad('BZIMAGE_FORMAT', `its version is said to be at ${pointer}, the setup code has ${setupSize} bytes`)
  }
  const banner = view.text(pointer, BANNER_LIMIT, 'version')
  const [release = ''] = banner.split(' ', 1)
  if (!RELEASE.test(release))
    throw bad('BZIMAGE_FORMAT', `${JSON.stringify(release.slice(0, 80))} is no kernel release`)
  return {
    banner,
    release,
    protocol: `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`,
    is64Bit: version >= 0x20c && (view.u16(0x236, 'load flags') & 1) !== 0,
    initSize: version >= 0x20a ? view.u32(0x260, 'init size') : 0,
  }
}
