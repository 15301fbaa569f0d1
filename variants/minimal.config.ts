// The drivers that every node needs and no others; further ones come through the modules' flist.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({ name: 'zero-os-minimal', plugins: { kernel: { include: 'minimal' } } })
