// What nodes run: small. Build it with --mode release, and with a key or a password for root.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({
  name: 'zero-os-release',
  initramfs: { compression: 'xz', level: 9 },
  plugins: { system: { sshEmptyPassword: false } },
})
