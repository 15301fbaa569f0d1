// Writes docs/reference.md from the code: config, hooks, values, plugin options, error codes. `--check` only compares.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path) => readFileSync(join(root, path), 'utf8')
const target = join(root, 'docs/reference.md')

/** A doc comment as one line. */
const words = (comment = '') =>
  comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('|', '\\|')

const cell = (code) => `\`${code.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')}\``
const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `|${' --- |'.repeat(head.length)}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
]

/** Text from an opening brace to the one that closes it. */
const block = (text, from) => {
  let depth = 0
  for (let at = text.indexOf('{', from); at < text.length; at++) {
    if (text[at] === '{') depth++
    if (text[at] === '}' && --depth === 0) return text.slice(text.indexOf('{', from) + 1, at)
  }
  return ''
}

const member =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)?\s*^ {2}(?:readonly )?(\w+)(\??)\s*: ([\s\S]*?)(?=\n {2}(?:\/\*\*|(?:readonly )?\w+\??\s*:)|$(?![\s\S]))/gm
const membersOf = (body) =>
  [...body.matchAll(member)].map(([, comment, name, optional, type]) => ({
    name,
    optional: optional === '?',
    type,
    says: words(comment),
  }))

/** Exported interfaces of a file whose names match, with their members. */
const interfaces = (path, pattern) => {
  const text = read(path)
  return [...text.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?(?:export )?interface (\w+)/g)]
    .filter(([, , name]) => pattern.test(name))
    .map((found) => ({ name: found[2], says: words(found[1]), members: membersOf(block(text, found.index)) }))
}

const optionTables = (path, pattern, level) =>
  interfaces(path, pattern).flatMap(({ name, says, members }) =>
    members.length === 0
      ? []
      : [
          `${level} ${name}`,
          '',
          ...(says ? [says, ''] : []),
          ...table(
            ['option', 'type', ''],
            members.map((one) => [cell(one.name + (one.optional ? '?' : '')), cell(one.type), one.says]),
          ),
        ],
  )

const filesBelow = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : []
  })

const plugins = readdirSync(join(root, 'plugins')).sort()

const hooks = () => {
  const text = read('core/src/hooks.ts')
  const body = block(text, text.indexOf('export interface Taps'))
  return table(
    ['hook', 'a tap', ''],
    membersOf(body).map(({ name, type, says }) => [cell(name), cell(type), says]),
  )
}

/** What the core exports, with the first sentence of its doc comment. */
const values = () => {
  const rows = []
  for (const [, names, from] of read('core/src/index.ts').matchAll(
    /export (?:type )?\{([^}]+)\} from '\.\/([^']+)\.js'/g,
  )) {
    const text = read(`core/src/${from}.ts`)
    for (const name of names
      .split(',')
      .map((one) => one.replace(/\btype\b/, '').trim())
      .filter(Boolean)) {
      const found = new RegExp(
        `(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/)\\n(?:// biome[^\\n]*\\n)?export (?:abstract )?(?:interface|type|const|class|function) ${name}\\b`,
      ).exec(text)
      if (found) rows.push([cell(name), words(found[1]).replace(/^(.+?[.:])( .*)?$/, '$1')])
    }
  }
  return table(
    ['export', ''],
    rows.sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Error codes with the package and file that say them. */
const errors = () => {
  const found = new Map()
  for (const path of ['core/src', ...plugins.map((name) => `plugins/${name}/src`)].flatMap(filesBelow))
    for (const [, a, b] of read(path).matchAll(
      /ZosError\(\s*'([A-Z][A-Z0-9]*_?[A-Z0-9_]*)'|\bcode: '([A-Z][A-Z0-9]*_[A-Z0-9_]+)'/g,
    )) {
      const code = a ?? b
      if (!found.has(code)) found.set(code, new Set())
      found.get(code).add(path)
    }
  return table(
    ['code', 'said by'],
    [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, paths]) => [
        cell(code),
        [...paths]
          .sort()
          .slice(0, 3)
          .map((path) => `[${path.replace(/^plugins\//, '').replace('/src/', '/')}](../${path})`)
          .join(', '),
      ]),
  )
}

const exits = () => {
  const text = read('core/src/error.ts')
  const body = block(text, text.indexOf('export const ExitCode'))
  return table(
    ['exit code', 'name', ''],
    [...body.matchAll(/(?:\/\*\*(.*?)\*\/\s*)?(\w+): (\d+)/g)].map(([, says, name, code]) => [
      code,
      cell(name),
      words(says),
    ]),
  )
}

const page = [
  '# Reference',
  '',
  'Made from the code by `node scripts/reference.mjs`; a test sees that it is up to date. Commands and their options:',
  '[commands.md](commands.md). How a plugin uses hooks and values: [plugins.md](plugins.md).',
  '',
  ...['Config', 'Plugins', 'Hooks', 'Exports of the core', 'Errors'].map(
    (title) => `- [${title}](#${title.toLowerCase().replaceAll(' ', '-')})`,
  ),
  '',
  '## Config',
  '',
  ...optionTables('core/src/config/define.ts', /^(UserConfig|InitramfsOptions|SizeOptions|ConfigInput)$/, '###'),
  '## Plugins',
  '',
  ...plugins.flatMap((name) => {
    const own = filesBelow(`plugins/${name}/src`).filter((path) => /\/(options|kernel-source|index)\.ts$/.test(path))
    return [
      `### @zos/${name}`,
      '',
      `[README](../plugins/${name}/README.md)`,
      '',
      ...own.flatMap((path) => optionTables(path, /Options$/, '####')),
    ]
  }),
  '## Hooks',
  '',
  ...hooks(),
  '## Exports of the core',
  '',
  ...values(),
  '## Errors',
  '',
  'What to do about the common ones: [build.md](build.md#when-something-fails).',
  '',
  ...exits(),
  ...errors(),
]
const text = `${page.join('\n').trimEnd()}\n`
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(`${relative(process.cwd(), target)} is not what the code says: node scripts/reference.mjs`)
    process.exit(1)
  }
} else writeFileSync(target, text)
