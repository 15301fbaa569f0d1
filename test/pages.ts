// Pages as a reader follows them: files written, terminals and shell blocks run, in a folder of its own.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { blocksOf, commandsOf, isShown, type Part } from './markdown.js'
import { cli, project } from './zos.js'

export const read = (path: string): string => readFileSync(join(project, path), 'utf8')

/** What `npm install` would do, without a network. */
export const install = (place: string, manifest: string): void => {
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> }
  const targets = Object.entries({ ...dependencies, '@types': '' }).map(([name, version]) => [
    join(place, 'node_modules', name),
    version.startsWith('file:') ? join(place, version.slice(5)) : join(project, 'node_modules', name),
  ])
  for (const [link = '', target = ''] of targets) {
    if (existsSync(link)) continue
    assert.ok(existsSync(target), `${target} is installed`)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link)
  }
}

export interface Reader {
  /** Runs a text of the shell; gives all that it printed. */
  run(script: string, cwd: string): Promise<{ code: number | null; printed: string }>
  /** Writes a file of a page, or runs a terminal, which has to print what the page shows. */
  follow(part: Part, place: string): Promise<void>
  /**
   * Runs the shell blocks of a page, each by a shell of its own that stops at the first command that fails. Gives the
   * number of commands run, and what the others need. `takes` chooses blocks by what they need: unless told, those that
   * need nothing.
   */
  runBlocks(page: string, place: string, takes?: (needs: string | undefined) => boolean): Promise<Ran>
}

export interface Ran {
  readonly run: number
  readonly left: readonly { readonly needs: string; readonly commands: number }[]
}

/** A line that no program prints: the command after it is the one that runs. */
const mark = '\u001e'

/** A folder with a program zos, which is that of the checkout. */
const programIn = (folder: string): string => {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'zos'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 })
  return bin
}

/** `stands` are addresses of the pages, by the ones that the test has in their place; `bin` is the folder of zos. */
export const makeReader = (
  folder: string,
  env: NodeJS.ProcessEnv = {},
  stands: Readonly<Record<string, string>> = {},
  bin = programIn(folder),
): Reader => {
  const stand = (text: string): string =>
    Object.entries(stands).reduce((all, [from, to]) => all.replaceAll(from, to), text)

  const run: Reader['run'] = (script, cwd) =>
    new Promise((resolve, reject) => {
      const inner = { HOME: folder, ...env, PATH: `${bin}:${process.env.PATH}` }
      const words = ['-c', `exec 2>&1\n${script}`]
      const child = spawn('sh', words, { cwd, env: inner, stdio: ['ignore', 'pipe', 'inherit'] })
      let printed = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        printed += text
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, printed }))
    })

  const follow: Reader['follow'] = async (part, place) => {
    if (part.kind === 'file') {
      const text = stand(part.text)
      mkdirSync(dirname(join(place, part.path)), { recursive: true })
      writeFileSync(join(place, part.path), text)
      if (part.path === 'package.json') install(place, text)
      return
    }
    for (const { command, shown } of commandsOf(part.text)) {
      const { code, printed } = await run(stand(command), place)
      assert.ok(isShown(shown, printed), `$ ${command}\n${printed}\nis not what the page shows:\n${shown}`)
      assert.is(code === 0, !/^error /m.test(shown), `$ ${command} ended with ${code}`)
    }
  }

  const runBlocks: Reader['runBlocks'] = async (page, place, takes = (needs) => needs === undefined) => {
    const left: { needs: string; commands: number }[] = []
    let count = 0
    for (const { commands, needs } of blocksOf(read(page))) {
      if (!takes(needs)) {
        if (needs !== undefined) left.push({ needs, commands: commands.length })
        continue
      }
      const script = commands.map((command, n) => `echo '${mark}${n}'\n${stand(command)}`).join('\n')
      const { code, printed } = await run(`set -e\n${script}`, place)
      const [at = '', ...lines] = printed.slice(printed.lastIndexOf(mark) + 1).split('\n')
      assert.is(code, 0, `${page}: $ ${commands[Number(at)]}\nended with ${code}\n${lines.join('\n')}`)
      count += commands.length
    }
    return { run: count, left }
  }

  return { run, follow, runBlocks }
}
