import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { version } from '../version.js'
import type { CliCommand } from './command.js'

const packages = ['core', 'debian', 'kernel', 'rust-musl', 'vm', 'zinit']

const files = (name: string): Readonly<Record<string, string>> => ({
  'package.json': `${JSON.stringify(
    {
      name,
      private: true,
      type: 'module',
      scripts: { build: 'zos build', start: 'zos run' },
      dependencies: Object.fromEntries(packages.map((one) => [`@zos/${one}`, version])),
    },
    undefined,
    2,
  )}\n`,
  'zos.config.ts': `import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'

const base = debian({ suite: 'bookworm', packages: ['busybox-static', 'kmod'] })

export default defineConfig({
  name: '${name}',
  plugins: [
    base,
    kernel({
      source: base.tree(['linux-image-6.12-cloud-amd64']),
      stub: base.tree(['systemd-boot-efi']),
      modules: { stage1: ['virtio_pci', 'virtio_blk', 'virtio_net'] },
      embed: 'uki',
      cmdline: 'console=ttyS0',
    }),
  ],
})
`,
  '.gitignore': 'node_modules/\ndist/\n.zos/\n',
})

export const initCommand: CliCommand = {
  name: 'init',
  summary:
    'Starts a project in this folder: a config, a package.json and a .gitignore. Nothing that exists is touched.',
  arguments: '[NAME]',
  options: {},
  examples: ['zos init', 'zos init my-image'],
  run: async (cli, [name = basename(cli.cwd)]) => {
    if (!/^[a-z0-9][a-z0-9._-]*$/.test(name))
      throw new ZosError('INIT_NAME', `${name}: expected lower-case letters, digits, "-", "_" and "."`, {
        hint: 'zos init my-image',
        exit: ExitCode.usage,
      })
    if (existsSync(join(cli.cwd, 'zos.config.ts')))
      throw new ZosError('INIT_EXISTS', 'there is a zos.config.ts here already', {
        hint: 'build it: zos build',
        exit: ExitCode.usage,
      })
    for (const [path, content] of Object.entries(files(name))) {
      const target = join(cli.cwd, path)
      if (existsSync(target)) {
        cli.out(`  kept  ${path}\n`)
        continue
      }
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, content)
      cli.out(`  new   ${path}\n`)
    }
    cli.out('next: npm install, then zos doctor, then zos build\n')
    return ExitCode.ok
  },
}
