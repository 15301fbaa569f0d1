// For work on the image: the root file system stays where the kernel unpacked it, and the kernel says all it does.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({
  name: 'zero-os-debug',
  plugins: { zinit: { root: 'in-place' }, system: { passwordlessRoot: true, cleanup: false } },
})
