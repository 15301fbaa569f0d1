// All of the kernel's drivers in the initramfs: for nodes that reach no object store.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({
  name: 'zero-os-full',
  plugins: { kernel: { include: 'full' }, zinit: { rootSize: '3g' } },
})
