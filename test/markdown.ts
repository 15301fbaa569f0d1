// The parts of our Markdown pages that tests look at. Pure: text in, parts out.

/** A part of a page that a reader would copy: a file, whose path stands bold in the line before it, or a terminal. */
export type Part =
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  | { readonly kind: 'console'; readonly text: string }

const fence = /(?:^\*\*`([^`\n]+)`\*\*\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm

/** Files and terminals, in the order of the page. */
export const partsOf = (page: string): Part[] =>
  [...page.matchAll(fence)].flatMap(([, path, language, text = '']): Part[] => {
    if (path !== undefined) return [{ kind: 'file', path, text }]
    return language === 'console' ? [{ kind: 'console', text }] : []
  })

export interface Command {
  readonly command: string
  /** What it prints; a line `…` stands for any lines, and `…` within a line for any text. */
  readonly shown: string
}

/** Commands of a terminal: lines that start with `$ `, each with what follows it. */
export const commandsOf = (text: string): Command[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((one) => ({ command: one.slice(0, one.indexOf('\n')), shown: one.slice(one.indexOf('\n') + 1) }))

/** Numbers that differ from run to run: times, sizes and digests. */
const steady = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{8}…/g, 'DIGEST')
    .replace(/\b\d+(\.\d+)? (s|B|kB|MB)\b/g, '# $2')
    .replace(/^\d+ /gm, '# ')
    .replace(/ +/g, ' ')

/** Commands of a `sh` block that are run, and those below a line `# needs REASON`, which are not. */
export interface Block {
  readonly commands: readonly string[]
  readonly needs?: string
}

const isCommand = (line: string): boolean => line.trim() !== '' && !line.startsWith('#')

/** The `sh` blocks of a page in their order; one with a line `# needs REASON` is two. */
export const blocksOf = (page: string): Block[] =>
  [...page.matchAll(fence)].flatMap(([, path, language, text = '']): Block[] => {
    if (path !== undefined || language !== 'sh') return []
    const [free = '', ...bound] = text.split(/^# needs /m)
    return [
      { commands: free.split('\n').filter(isCommand) },
      ...bound.map((one) => {
        const [needs = '', ...lines] = one.split('\n')
        return { needs, commands: lines.filter(isCommand) }
      }),
    ].filter(({ commands }) => commands.length > 0)
  })

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Whether a program printed what a page shows. */
export const isShown = (shown: string, printed: string): boolean => {
  const pattern = steady(shown)
    .split('\n')
    .slice(0, -1)
    .map((line) => (line === '…' ? '(?:.*\n)*?' : `${line.split('…').map(literal).join('.*')}\n`))
  return new RegExp(`^${pattern.join('')}$`).test(steady(printed))
}

const withoutCode = (page: string): string =>
  page.replace(fence, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, '_'))

/** Targets of links, as they are written. */
export const linksOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/\]\(([^()\s]+)\)/g)].map(([, to]) => to!)

/** Anchors of the headings, as GitHub makes them. */
export const anchorsOf = (page: string): string[] => {
  const seen = new Map<string, number>()
  return [...page.replace(fence, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const slug = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
}

/** Rows of all tables below a heading of the second level: cells as they are written, code marks removed. */
export const rowsBelow = (page: string, heading: string): string[][] => {
  const section =
    page.split(/^##+ /m).find((one) => one.startsWith(`${heading}\n`) || one.startsWith(`${heading} `)) ?? ''
  return section
    .split('\n')
    .filter((line) => /^\| [^-]/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}
