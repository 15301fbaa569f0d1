/** Edits from one text to the other, of single characters or of two neighbours that changed places. */
const distance = (a: string, b: string): number => {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        isSwapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** The candidates nearest to a name, at most `count`, by edit distance (optimal string alignment); none where nothing is near. */
export const closest = (name: string, candidates: Iterable<string>, count = 3): string[] => {
  const limit = Math.max(1, Math.min(3, Math.floor(name.length / 3)))
  const near: { candidate: string; far: number }[] = []
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue
    const far = distance(name.toLowerCase(), candidate.toLowerCase())
    if (far <= limit) near.push({ candidate, far })
  }
  near.sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1))
  return near.slice(0, count).map(({ candidate }) => candidate)
}

/** `; did you mean "x"?`, or nothing. */
export const didYouMean = (name: string, candidates: Iterable<string>): string => {
  const [best] = closest(name, candidates, 1)
  return best === undefined ? '' : `; did you mean "${best}"?`
}
