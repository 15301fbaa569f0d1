/** Edits (insert, remove, replace, swap of neighbours) between two short names. */
const distance = (a: string, b: string): number => {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)])
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  }
  return rows[a.length]![b.length]!
}

/** Up to three of `names` that a person may have meant by `wrong`: nearest first, then by name. */
export const nearest = (wrong: string, names: Iterable<string>): string[] => {
  const limit = Math.max(1, Math.floor(wrong.length / 3))
  const near: { name: string; edits: number }[] = []
  for (const name of names) {
    if (name === wrong || Math.abs(name.length - wrong.length) > limit) continue
    const edits = distance(wrong, name)
    if (edits <= limit) near.push({ name, edits })
  }
  near.sort((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
  return near.slice(0, 3).map(({ name }) => name)
}
