// A config of the project, beside its `variants/`: the quickstart for this board.
import { defineConfig } from '@zos/core'
import { acmeBoard } from './acme-board/index.ts'
import quickstart from './variants/quickstart.config.ts'

export default defineConfig((input) => ({
  name: 'board',
  plugins: [...quickstart.make(input).plugins, acmeBoard({ nvram: 'acme-board/nvram.bin' })],
}))
