import { type FileTree, ZosError } from '@zos/core'
import type { FirmwarePattern } from './firmware-conf.js'
import type { DriverFacts } from './module-index.js'

/** Firmware that chosen drivers name and the image has not: the name as the driver gives it, and the drivers. */
export interface MissingFirmware {
  readonly name: string
  readonly drivers: readonly string[]
}

/** The kernel asks for the plain name, then for these; files are shipped under any of them. */
const suffixes = ['', '.zst', '.xz'] as const
const anySuffix = `{${suffixes.join(',')}}`

/**
 * Picks from a tree of firmware (rooted at what becomes `/lib/firmware`) the files that a list names, with the targets
 * of links. A line that matches no file is an error, all such lines in one report.
 */
export const selectFirmware = (patterns: readonly FirmwarePattern[], tree: FileTree): FileTree => {
  const chosen = new Set<string>()
  const unmatched: FirmwarePattern[] = []
  for (const wanted of patterns) {
    const glob = wanted.pattern.endsWith('/') ? `/${wanted.pattern}**` : `/${wanted.pattern}${anySuffix}`
    const found = tree.glob(glob).filter(({ kind }) => kind !== 'directory')
    if (found.length === 0) unmatched.push(wanted)
    else for (const path of linksOnTheWay(tree, wanted.pattern)) chosen.add(path)
    for (const { path } of found) for (const part of withTargets(tree, path)) chosen.add(part)
  }
  if (unmatched.length > 0) {
    throw new ZosError(
      'KERNEL_FIRMWARE_MISSING',
      unmatched.map(({ pattern, by }) => `${by}: the firmware tree has no file ${pattern}`).join('\n'),
      { hint: 'add the package that ships it to the firmware tree, or take the line out' },
    )
  }
  return tree.filter(({ path }) => chosen.has(path))
}

/** Names of firmware that drivers ask for and a firmware tree does not have; sorted by name. */
export const missingFirmware = (drivers: readonly DriverFacts[], tree: FileTree): MissingFirmware[] => {
  const users = new Map<string, Set<string>>()
  for (const driver of drivers) {
    for (const name of driver.firmware) users.set(name, (users.get(name) ?? new Set()).add(driver.name))
  }
  return [...users]
    .filter(([name]) => !has(tree, name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, drivers]) => ({ name, drivers: [...drivers].sort() }))
}

/** Newer drivers name firmware by a glob (`brcm/brcmfmac*-pcie.bin`). What is no path in normal form is in no tree. */
const has = (tree: FileTree, name: string): boolean => {
  if (/[{}\0]/.test(name) || name.split('/').some((part) => ['', '.', '..'].includes(part))) return false
  if (/\*\*/.test(name)) return false
  return /[*?]/.test(name)
    ? tree.glob(`/${name}${anySuffix}`).length > 0
    : suffixes.some((suffix) => tree.resolve(`/${name}${suffix}`) !== undefined)
}

/** Links to folders that a pattern's plain beginning leads through. */
const linksOnTheWay = (tree: FileTree, pattern: string): string[] => {
  const parts = pattern.split('/').slice(0, -1)
  const plain = parts.findIndex((part) => /[*?]/.test(part))
  return parts
    .slice(0, plain < 0 ? parts.length : plain)
    .map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
    .filter((path) => tree.get(path)?.kind === 'symlink')
}

/** A path and, if it is a link, all that it leads to; links that lead out of the tree or in a circle end there. */
const withTargets = (tree: FileTree, path: string): string[] => {
  const paths = new Set<string>()
  for (let at: string | undefined = path; at !== undefined && !paths.has(at); ) {
    paths.add(at)
    const entry = tree.get(at)
    at = entry?.kind === 'symlink' ? targetOf(at, entry.target) : undefined
  }
  return [...paths]
}

const targetOf = (path: string, target: string): string | undefined => {
  if (target.startsWith('/')) return undefined
  const parts = path.split('/').slice(1, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length > 0 ? `/${parts.join('/')}` : undefined
}
