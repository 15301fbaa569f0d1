// What differs between two texts, in few lines: for reasons and reports, not for patches.

export interface LineChange {
  /** Number of the line in the new text, from 1; of what is gone, the line that it stood before. */
  readonly line: number
  readonly before?: string
  readonly after?: string
}

/** Lines that are new, gone or another: what is equal at both ends is left out, and what moved counts as gone and new. */
export const lineChanges = (before: string, after: string): LineChange[] => {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let end = 0
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++
  const gone = old.slice(start, old.length - end)
  const fresh = now.slice(start, now.length - end)
  if (gone.length === fresh.length)
    return fresh.flatMap((line, index) =>
      line === gone[index] ? [] : [{ line: start + index + 1, before: gone[index]!, after: line }],
    )
  const [had, has] = [new Set(old), new Set(now)]
  return [
    ...gone.flatMap((line, index) =>
      has.has(line) ? [] : [{ line: start + Math.min(index, fresh.length) + 1, before: line }],
    ),
    ...fresh.flatMap((line, index) => (had.has(line) ? [] : [{ line: start + index + 1, after: line }])),
  ]
}

/** Characters of a line that are shown. */
const width = 72
/** Characters before the first difference. */
const context = 16

const cut = (text: string, from = 0): string => {
  const rest = from > 0 ? `…${text.slice(from)}` : text
  return rest.length > width ? `${rest.slice(0, width - 1)}…` : rest
}

/** Both from shortly before they part. */
const pair = (before: string, after: string): string => {
  let same = 0
  while (same < before.length && before[same] === after[same]) same++
  const from = Math.max(before.length, after.length) > width ? Math.max(0, same - context) : 0
  return `${cut(before, from)} → ${cut(after, from)}`
}

/** `line 12: CONFIG_X=m → CONFIG_X=y`, at most `most` of them. */
export const lineChangeTexts = (changes: readonly LineChange[], most = 6): string[] => [
  ...changes.slice(0, most).map(({ line, before, after }) => {
    if (before === undefined) return `line ${line}: new: ${cut(after ?? '')}`
    return after === undefined ? `line ${line}: gone: ${cut(before)}` : `line ${line}: ${pair(before, after)}`
  }),
  ...(changes.length > most ? [`and ${changes.length - most} more lines`] : []),
]
