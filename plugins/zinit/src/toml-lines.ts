/** The parts of a dotted TOML key, bare or quoted; escapes inside quotes are not resolved. */
const keyParts = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  )

/**
 * The line, from 1, of a key or table in a TOML document that is known to be well formed: of the longest part of
 * `path` that is found, else 1. For messages: texts over several lines are stepped over, nothing else is understood.
 */
export const lineOf = (content: string, path: readonly string[]): number => {
  let best = { line: 1, depth: 0 }
  let table: string[] = []
  let until: string | undefined
  content.split('\n').forEach((text, index) => {
    if (until !== undefined) {
      if (text.includes(until)) until = undefined
      return
    }
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(text)
    const pair = /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/.exec(
      text,
    )
    if (header) table = keyParts(header[1]!)
    const here = header ? table : pair ? [...table, ...keyParts(pair[1]!)] : []
    const wanted = path.slice(0, here.length)
    if (here.length > 0 && wanted.length > best.depth && wanted.every((part, i) => part === here[i])) {
      best = { line: index + 1, depth: wanted.length }
    }
    for (const fence of ['"""', "'''"]) {
      const parts = pair ? text.split(fence).length : 1
      if (parts % 2 === 0) until = fence
    }
  })
  return best.line
}
