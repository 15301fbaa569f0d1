/** Edits between two names (insert, delete, replace, swap), at most `limit`; `limit + 1` when there are more. */
const distance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
      least = Math.min(least, cost)
    }
    if (least > limit) return limit + 1
    before = previous
    previous = row
  }
  return previous[b.length]!
}

/** Up to five names that somebody who wrote `name` may have meant, the nearest first. */
export const nearNames = (name: string, known: Iterable<string>): string[] => {
  const limit = Math.max(1, Math.min(3, Math.floor(name.length / 3)))
  const found: { readonly name: string; readonly cost: number }[] = []
  for (const other of known) {
    const edits = distance(name, other, limit)
    if (edits <= limit) found.push({ name: other, cost: edits })
    // A version or flavour left out: `linux-image-cloud-amd64` has `linux-image-6.12-cloud-amd64` beside it.
    else if (name.length >= 4 && other.startsWith(`${name}-`))
      found.push({ name: other, cost: limit + 1 + other.length / 1000 })
  }
  return found
    .sort((a, b) => a.cost - b.cost || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map((entry) => entry.name)
}
