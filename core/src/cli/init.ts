import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { version } from '../version.js'
import type { Cli, CliCommand } from './command.js'

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

/** Writes what is not there yet. */
const writeFiles = (cli: Cli, folder: string, content: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(content)) {
    const target = join(folder, path)
    const shown = relative(cli.cwd, target)
    if (existsSync(target)) {
      cli.out(`  kept  ${shown}\n`)
      continue
    }
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
    cli.out(`  new   ${shown}\n`)
  }
}

const checkName = (name: string, pattern: RegExp, hint: string): void => {
  if (pattern.test(name)) return
  throw new ZosError('INIT_NAME', `${name}: expected lower-case letters, digits, "-", "_" and "."`, {
    hint,
    exit: ExitCode.usage,
  })
}

const initPlugin = async (cli: Cli, [name, ...more]: readonly string[]): Promise<number> => {
  if (name === undefined || more.length > 0)
    throw new ZosError('CLI_USAGE', `zos init plugin wants ${name === undefined ? 'a name' : 'one name'}`, {
      hint: 'zos init plugin acme-board',
      exit: ExitCode.usage,
    })
  checkName(name, /^[a-z][a-z0-9._-]*$/, 'zos init plugin acme-board')
  const { pluginFiles } = await import('./init-plugin.js')
  writeFiles(cli, join(cli.cwd, name), pluginFiles(name))
  cli.out(`next: cd ${name}, then npm install, then npm test\n`)
  return ExitCode.ok
}

export const initCommand: CliCommand = {
  name: 'init',
  summary:
    'Starts a project in this folder: a config, a package.json and a .gitignore; or a plugin in a folder of its own. Nothing that exists is touched.',
  arguments: '[NAME | plugin NAME]',
  options: {},
  examples: ['zos init', 'zos init my-image', 'zos init plugin acme-board'],
  run: async (cli, [given, ...more]) => {
    if (given === 'plugin') return initPlugin(cli, more)
    if (more.length > 0)
      throw new ZosError('CLI_USAGE', `zos init wants one name, not ${more.length + 1}`, {
        hint: 'zos init my-image',
        exit: ExitCode.usage,
      })
    const name = given ?? basename(cli.cwd)
    checkName(name, /^[a-z0-9][a-z0-9._-]*$/, 'zos init my-image')
    if (existsSync(join(cli.cwd, 'zos.config.ts')))
      throw new ZosError('INIT_EXISTS', 'there is a zos.config.ts here already', {
        hint: 'build it: zos build',
        exit: ExitCode.usage,
      })
    writeFiles(cli, cli.cwd, files(name))
    cli.out('next: npm install, then zos doctor, then zos build\n')
    return ExitCode.ok
  },
}
