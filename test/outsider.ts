// A folder in which the packages are installed as npm packs them; projects in it are those of an outsider.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { project, start, succeed } from './zos.js'

/** Names of the packages, without their scope. */
export const packageNames = ['core', ...readdirSync(join(project, 'plugins'))]

export interface Outsider {
  readonly folder: string
  /** Its `node_modules`. */
  readonly modules: string
  /** Runs a line of a shell that has to end well; gives what it printed. */
  run(place: string, limit: number, command: string, env?: Readonly<Record<string, string>>): Promise<string>
}

/** What npm would bring from its registry is linked from the checkout. */
const linkOthers = (modules: string): void => {
  const wanted = new Set<string>(['@types/node'])
  for (const name of packageNames) {
    const manifest = JSON.parse(readFileSync(join(modules, '@zos', name, 'package.json'), 'utf8'))
    for (const dependency of Object.keys(manifest.dependencies ?? {}))
      if (!dependency.startsWith('@zos/')) wanted.add(dependency)
  }
  for (const dependency of wanted) {
    mkdirSync(join(modules, dependency, '..'), { recursive: true })
    symlinkSync(join(project, 'node_modules', dependency), join(modules, dependency))
  }
}

/** Packs and installs all packages into a new folder; the caller removes it. */
export const packAndInstall = async (): Promise<Outsider> => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-packages-'))
  const packed = join(folder, 'packed')
  const modules = join(folder, 'node_modules')
  mkdirSync(packed)
  await succeed('npm', ['pack', '--workspaces', '--pack-destination', packed, '--silent'], project, 120)
  mkdirSync(join(modules, '@zos'), { recursive: true })
  for (const name of packageNames) {
    const place = join(modules, '@zos', name)
    mkdirSync(place)
    execFileSync('tar', ['-xzf', join(packed, `zos-${name}-0.1.0.tgz`), '-C', place, '--strip-components=1'])
  }
  linkOthers(modules)
  mkdirSync(join(modules, '.bin'))
  symlinkSync('../@zos/core/dist/cli/main.js', join(modules, '.bin/zos'))
  // As npm does with what a package names as its program.
  chmodSync(join(modules, '.bin/zos'), 0o755)
  const path = `${join(modules, '.bin')}:${process.env.PATH}`
  return {
    folder,
    modules,
    run: async (place, limit, command, env = {}) => {
      const ended = await start('sh', ['-euc', command], place, limit, { PATH: path, ...env }).ended
      assert.is(ended.end, 0, `${command}\n${ended.stdout}${ended.stderr}`)
      return ended.stdout
    },
  }
}
