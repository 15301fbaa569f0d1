// time limit: 300 s
// Pages say what is so: their files are built by the built CLI, their terminals run, their links lead somewhere.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { type Descriptor, ExitCode, sha256 } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { anchorsOf, linksOf, partsOf, rowsBelow } from './markdown.js'
import { install, makeReader, read } from './pages.js'
import { project } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-docs-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const { run } = makeReader(folder)

/** What pages call downloads.example.com: every question for the newest version finds a newer one. */
const startDownloads = (): Promise<Server> =>
  new Promise((resolve) => {
    let newest = 0
    const tool = (version: string): string => `tool ${version}\n`
    const server = createServer(({ url }, response) => {
      if (url === '/latest') newest++
      response.end(url === '/latest' ? `${newest} ${sha256(tool(String(newest)))}\n` : tool(url!.slice(1)))
    })
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

const compilerOptions = { noEmit: true, composite: false, declaration: false, declarationMap: false, checkJs: true }

for (const page of ['tutorial', 'config', 'plugins']) {
  test(`docs/${page}.md works as it stands`, async () => {
    const place = join(folder, page)
    mkdirSync(place)
    const server = await startDownloads()
    try {
      const downloads = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const { follow } = makeReader(folder, {}, { 'https://downloads.example.com': downloads })
      for (const part of partsOf(read(`docs/${page}.md`))) await follow(part, place)
    } finally {
      server.close()
    }
    const config = {
      extends: join(project, 'tsconfig.base.json'),
      compilerOptions: { ...compilerOptions, allowJs: true, allowImportingTsExtensions: true },
    }
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
    const { code, printed } = await run(`'${join(project, 'node_modules/.bin/tsc')}' -p .`, place)
    assert.is(code, 0, printed)
  })
}

const pagesIn = (path: string): string[] =>
  readdirSync(join(project, path), { withFileTypes: true }).flatMap((entry) => {
    if (/^(node_modules|dist|\.git|\.zos|\.zos-toolchain|\.test)$/.test(entry.name)) return []
    const inner = join(path, entry.name)
    if (entry.isDirectory()) return pagesIn(inner)
    return entry.name.endsWith('.md') ? [inner] : []
  })

test('links of all pages lead somewhere', () => {
  const broken: string[] = []
  const pages = pagesIn('.')
  assert.ok(pages.includes('README.md') && pages.includes('docs/plugins.md'))
  for (const page of pages)
    for (const link of linksOf(read(page))) {
      if (/^(https?|mailto):/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? page : relative(project, join(project, dirname(page), file))
      const isThere = !target.startsWith('..') && existsSync(join(project, target))
      if (!isThere || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor)))
        broken.push(`${page}: ${link}`)
    }
  assert.equal(broken, [])
})

/** Calls of zos in running text and tables, and in lines of shell blocks: the command's words, and its options. */
const callsIn = (page: string): { words: string[]; options: string[] }[] => {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) => text.split('\n'))
  const spans = [...page.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)
  return [...blocks, ...spans].flatMap((line) => {
    const call = /^(?:\w+=\S+ )*(?:npm run -s zos --|zos) ([a-z]+(?: [a-z]+)?)(?=\s|$)([^#|>&;]*)/.exec(line)
    if (!call) return []
    return [
      {
        words: call[1]!.split(' '),
        options: [...call[2]!.matchAll(/(?<=\s)--([a-z][a-z-]*)/g)].map(([, one]) => one!),
      },
    ]
  })
}

test('commands of shell blocks and of running text exist, with the options that they are given', async () => {
  const helps = new Map<string, string>()
  const helpOf = async (name: string): Promise<string> => {
    const help = helps.get(name) ?? (await run(`zos ${name} --help`, project)).printed
    helps.set(name, help)
    return help
  }
  const wrong: string[] = []
  let calls = 0
  // That example's command is its own.
  for (const page of pagesIn('.').filter((path) => path !== 'examples/command/README.md'))
    for (const { words, options } of callsIn(read(page))) {
      calls++
      const family = await helpOf(words[0]!)
      const isFamily = family.startsWith(`zos ${words[0]} COMMAND`)
      const help = isFamily ? await helpOf(words.join(' ')) : family
      if (!help.startsWith(`zos ${words[0]}`)) wrong.push(`${page}: zos ${words.join(' ')}`)
      for (const option of options)
        if (!help.includes(`--${option}`)) wrong.push(`${page}: zos ${words.join(' ')} --${option}`)
    }
  assert.ok(calls > 100, `${calls} calls`)
  assert.equal(wrong, [])
})

/** Options as `--help` shows them: flag with its value, and what it does. */
const optionsOf = (help: string): string[][] =>
  [...help.matchAll(/^ {2}(--.+?) {2,}(.+)$/gm)].map(([, flag, text]) => [flag!, text!])

test('docs/commands.md has every command and option of --help', async () => {
  const page = read('docs/commands.md')
  const { printed } = await run('zos --help', project)
  const rows = (text: string): string[] => [...text.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name!)
  const names = rows(printed)
  assert.equal(
    names,
    [...page.matchAll(/^## zos (\w+)/gm)].map(([, name]) => name),
    'commands',
  )
  const common = [...page.split(/^## /m)[0]!.matchAll(/^\| `(--.+?)` \| (.+) \|$/gm)].map(([, flag, text]) => [
    flag,
    text,
  ])
  const flist = rows((await run('zos flist --help', project)).printed).map((name) => `flist ${name}`)
  assert.ok(flist.includes('flist pack'))
  for (const name of [...names, ...flist]) {
    const help = await run(`zos ${name} --help`, project)
    const [usage = ''] = help.printed.split('\n')
    assert.match(page, `## ${usage.replace(' [OPTIONS]', '')}\n`)
    const all = optionsOf(help.printed)
    const own = rowsBelow(page, usage.replace(' [OPTIONS]', '')).filter(([flag]) => flag?.startsWith('--'))
    const readsConfig = all.some(([flag]) => flag === '--config FILE')
    assert.equal(all, readsConfig ? [...common, ...own] : own, `options of zos ${name}`)
  }
})

test('docs/commands.md has every exit code', () => {
  const rows = rowsBelow(read('docs/commands.md'), 'Exit codes').slice(1)
  assert.equal(Object.fromEntries(rows.map(([code, name]) => [name, Number(code)])), ExitCode)
})

test('docs/build.md has the classic stages as zos shows them', async () => {
  const place = join(folder, 'stages')
  mkdirSync(place)
  writeFileSync(
    join(place, 'zos.config.mjs'),
    `import { defineConfig } from '${join(project, 'core/dist/index.js')}'\nexport default defineConfig({ name: 'stages', plugins: [] })\n`,
  )
  const { printed } = await run('zos --show-stages', place)
  const shown = [...printed.matchAll(/^ {2}(\w+) +(\w+) +(.+)$/gm)].slice(1).map(([, ...cells]) => cells)
  assert.is(shown.length, 18)
  assert.equal(rowsBelow(read('docs/build.md'), 'Classic stages').slice(1), shown)
})

test('docs/plugins.md names everything that lint forbids plugins', () => {
  const [override] = (JSON.parse(read('biome.json')) as { overrides: { linter: { rules: { style: Style } } }[] })
    .overrides
  const { noRestrictedImports, noRestrictedGlobals, noProcessEnv } = override!.linter.rules.style
  assert.is(noProcessEnv, 'error')
  const denied = [
    ...Object.keys(noRestrictedImports.options.paths),
    ...Object.keys(noRestrictedGlobals.options.deniedGlobals),
  ]
  const rows = rowsBelow(read('docs/plugins.md'), 'What lint forbids, and why').slice(1)
  assert.equal(rows.flatMap(([names]) => names!.split(', ')).sort(), [...denied, 'process.env'].sort())
})

interface Style {
  readonly noProcessEnv: string
  readonly noRestrictedImports: { readonly options: { readonly paths: Record<string, string> } }
  readonly noRestrictedGlobals: { readonly options: { readonly deniedGlobals: Record<string, string> } }
}

const packages = ['core', ...readdirSync(join(project, 'plugins')).map((name) => `plugins/${name}`)]

test('every package has a README, its licence, and both in what is published', () => {
  for (const name of packages) {
    assert.match(read(`${name}/README.md`), new RegExp(`^# @zos/${name.split('/').at(-1)}\n`))
    assert.is(read(`${name}/LICENSE`), read('LICENSE'), name)
    const { files } = JSON.parse(read(`${name}/package.json`)) as { files: string[] }
    for (const entry of ['dist', '!dist/.tsbuildinfo', 'README.md'])
      assert.ok(files.includes(entry), `${name}: ${entry}`)
  }
})

test('the README of a plugin names the programs that it needs', async () => {
  for (const name of packages.slice(1)) {
    const page = read(`${name}/README.md`)
    const exported = (await import(join(project, name, 'dist/index.js'))) as Record<string, unknown>
    const factories = Object.values(exported).filter((one): one is Factory => typeof one === 'function' && 'as' in one)
    assert.ok(factories.length > 0, name)
    for (const factory of factories)
      for (const { tool, install: how } of factory.as('any', {}).definition.needs ?? []) {
        const named = [tool, ...how.split(' ')].some((word) => new RegExp(`(^|[^\\w-])${word}([^\\w-]|$)`).test(page))
        assert.ok(named, `${name}/README.md names neither ${tool} nor what brings it: ${how}`)
      }
  }
})

interface Factory {
  as(id: string, options: object): Descriptor
}

test('the config of the README is a good one', async () => {
  const [config = ''] = /^import \{ defineConfig[\s\S]*?^\}\)$/m.exec(read('README.md')) ?? []
  const place = join(folder, 'readme')
  mkdirSync(place)
  const manifest = JSON.stringify({ dependencies: { '@zos/core': '', '@zos/debian': '', '@zos/kernel': '' } })
  writeFileSync(join(place, 'package.json'), manifest)
  install(place, manifest)
  writeFileSync(join(place, 'zos.config.ts'), config)
  const { code, printed } = await run('zos config', place)
  assert.is(code, 0, printed)
})

test.run()
