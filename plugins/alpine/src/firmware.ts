import { ZosError } from '@zos/core'

/** Component of the tree that `base.firmware` stands for. */
export const firmwareTree = 'firmware'

/**
 * The packages that bring what a `firmware.conf` names: Alpine has linux-firmware in one package for each folder, and
 * `linux-firmware-other` for the files that lie in none. A line `package:NAME` names a package of another kind.
 */
export const firmwarePackages = (text: string, file: string): string[] => {
  const names = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#.*$/, '').trim()
    if (word === '') continue
    if (word.startsWith('package:')) names.add(word.slice('package:'.length))
    else {
      const slash = word.indexOf('/')
      const folder = slash < 0 ? 'other' : word.slice(0, slash)
      if (!/^[A-Za-z0-9_.+-]+$/.test(folder))
        throw new ZosError('ALPINE_FIRMWARE', `${file}:${index + 1}: '${word}' does not say in which folder`, {
          hint: 'a folder is written out: rtl_nic/*.fw',
        })
      names.add(`linux-firmware-${folder}`)
    }
  }
  return [...names].sort()
}
