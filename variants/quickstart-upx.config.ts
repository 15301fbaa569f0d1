// The quickstart with every program packed by UPX that can be, to see that they run. The image is larger than without.
import { defineConfig } from '@zos/core'
import { system } from '@zos/system'
import { upx } from '@zos/upx'
import quickstart from './quickstart.config.ts'

export default defineConfig((input) => {
  const { plugins } = quickstart.make(input)
  return {
    name: 'quickstart-upx',
    plugins: [
      ...plugins,
      // Traffic control's plugin for ATM wants a library that its package only suggests.
      system({ branding: false, passwordlessRoot: true, unlinked: ['/usr/lib/x86_64-linux-gnu/tc/*'] }),
      upx({ when: 'always' }),
    ],
  }
})
