import { closest } from '@zos/core'

const most = 5

/** Up to five names that somebody who wrote `name` may have meant, the nearest first. */
export const nearNames = (name: string, known: Iterable<string>): string[] => {
  const names = [...known]
  const near = closest(name, names, most)
  // A version or flavour left out: `linux-image-cloud-amd64` has `linux-image-6.12-cloud-amd64` beside it.
  const longer = name.length < 4 ? [] : names.filter((other) => other.startsWith(`${name}-`)).sort()
  return [...new Set([...near, ...longer])].slice(0, most)
}
