/** Up to `count` candidates that differ from a name by few edits (a third of its length, at least 1), nearest first. */
export const nearest = (name: string, candidates: Iterable<string>, count = 3): string[] => {
  const most = Math.max(1, Math.floor(name.length / 3))
  const found: { candidate: string; edits: number }[] = []
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most) continue
    const edits = editDistance(name, candidate)
    if (edits <= most) found.push({ candidate, edits })
  }
  return found
    .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate)
}

/** Insertions, removals and replacements of single characters that make one text of the other (Levenshtein). */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
