/** A link that one of several packages may provide (update-alternatives(1)); the highest priority wins. */
export type Alternative = {
  readonly link: string
  readonly target: string
  readonly priority: number
}

const path = String.raw`(\/[A-Za-z0-9_.+\/@%-]+)`
const word = '[A-Za-z0-9_.+@%-]+'
const install = new RegExp(
  String.raw`\bupdate-alternatives(?:\s+--(?:quiet|force))*\s+--install\s+${path}\s+${word}\s+${path}\s+(-?\d+)((?:\s+--slave\s+\/\S+\s+\S+\s+\/\S+)*)`,
  'g',
)
const slave = new RegExp(String.raw`--slave\s+${path}\s+${word}\s+${path}(?=\s|$)`, 'g')

/** Commands on several lines as one. */
export const joinedLines = (script: string): string => script.replace(/\r/g, '').replace(/\\\n\s*/g, ' ')

/**
 * The alternatives that an installation script registers by commands without variables. What is in variables is not
 * found: a rule has to say it.
 */
export const alternativesIn = (script: string): Alternative[] => {
  const found: Alternative[] = []
  for (const [, link = '', target = '', digits = '0', slaves = ''] of joinedLines(script).matchAll(install)) {
    const priority = Number(digits)
    found.push({ link, target, priority })
    for (const [, other = '', to = ''] of slaves.matchAll(slave)) found.push({ link: other, target: to, priority })
  }
  return found
}

/** The script without the commands that `alternativesIn` reads. */
export const withoutAlternatives = (script: string): string =>
  joinedLines(script).replace(new RegExp(String.raw`(?:${install.source})[ \t]*(?:\|\|\s*(?:true|:))?`, 'g'), '')
