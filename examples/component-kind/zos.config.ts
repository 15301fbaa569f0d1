import { defineConfig } from '@zos/core'
import { cPrograms } from './c-programs.ts'

export default defineConfig({ name: 'component-kind', plugins: [cPrograms({ programs: { hello: 'src' } })] })
