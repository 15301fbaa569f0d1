// With Alpine's own long-term kernel in place of a compiled one: minutes less to build.
import { alpineKernel } from '../config/kernel-source.ts'
import zeroOs, { base } from '../zos.config.ts'

export default zeroOs.variant({
  name: 'zero-os-alpine-lts',
  plugins: { kernel: { ...alpineKernel('lts', base), config: undefined, localVersion: undefined } },
})
