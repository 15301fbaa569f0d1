// A project whose kernel and flist are made of nothing but bytes: what is published has no say in how.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ended, project, start } from './zos.js'

/** Bytes of the kernel of these projects: an upload that can be cut. */
export const kernelSize = 3 << 20

const plugins = `
import { definePlugin } from '@zos/core'
import * as v from 'valibot'

export const made = definePlugin<{ release: string }>()({
  name: 'made',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ release: v.string() }),
  env: { RELEASE: 'release' },
  apply(hooks, { release }) {
    hooks.resolve.tap('outputs', (plan) => {
      plan.output({ name: 'vmlinuz.efi', format: 'made', options: null })
      plan.output({ name: \`flists/modules-\${release}.fl\`, format: 'made', options: null })
    })
    hooks.pack.for('made').tap('bytes', async ({ name }, ctx) => {
      const isKernel = name.endsWith('.efi')
      const text = \`\${name} \${release}\\n\`
      const blob = await ctx.blobs.put(text.repeat(Math.ceil((isKernel ? ${kernelSize} : 1000) / text.length)))
      return { blob, aliases: isKernel ? [\`vmlinuz-\${release}.efi\`] : [] }
    })
  },
})
`

const config = (target: string, options: string): string => `
import { defineConfig, secret } from '@zos/core'
import { folder, s3 } from '@zos/s3'
import { made } from './made.ts'

const place = ${target}(${options})
export default defineConfig({
  name: 'published',
  plugins: [made({ release: '6.12.1-test' }), place],
  publish: [place.manifests(), place.kernels()],
})
`

/** Writes the project into an empty folder. `options`: of s3 or folder, as text. */
export const makeProject = (place: string, target: 's3' | 'folder', options: string): void => {
  mkdirSync(join(place, 'config'), { recursive: true })
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(place, 'made.ts'), plugins)
  writeFileSync(join(place, 'zos.config.ts'), config(target, options))
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
}

const cli = join(project, 'core/dist/cli/main.js')

/** Runs zos in the project; how it ends is for the test to judge. */
export const zosIn = (
  place: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Ended> => {
  const running = start(process.execPath, [cli, ...words], place, 90, env)
  signal?.addEventListener('abort', () => running.interrupt())
  return running.ended
}
