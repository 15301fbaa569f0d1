// With Alpine's own long-term kernel in place of a compiled one: minutes less to build.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({ name: 'zero-os-alpine-lts', env: { KERNEL_VERSION: 'lts' } })
