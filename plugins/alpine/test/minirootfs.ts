// Packages made of the files that a real root file system has of them, by its own database: the real ones, but for what
// its makers left out.

import { spawnSync } from 'node:child_process'
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TreeRecord } from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'
import { parseIndex } from '../dist/format/index-text.js'
import type { PackageInfo } from '../dist/format/pkginfo.js'
import type { SigningKey } from '../dist/format/signature.js'
import { type ScriptName, writeApk } from '../dist/format/write-apk.js'

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '')

interface Listed {
  readonly info: PackageInfo
  readonly checksum: string
  /** Paths with owner and mode. */
  readonly paths: readonly { readonly path: string; readonly isFolder: boolean; readonly acl?: string }[]
}

const listed = (stanza: string): Listed => {
  const lines = stanza.split('\n')
  const isPath = (line: string) => /^[FRaMZ]:/.test(line)
  const [entry] = parseIndex(
    `${lines.filter((line) => !isPath(line) && !/^[rqs]:/.test(line)).join('\n')}\n`,
    'installed',
  )
  const field = (letter: string) => lines.find((line) => line.startsWith(`${letter}:`))?.slice(2)
  const paths: { path: string; isFolder: boolean; acl?: string }[] = []
  let folder = ''
  for (const line of lines.filter(isPath)) {
    const value = line.slice(2)
    if (line.startsWith('F:')) {
      folder = value === '' ? '' : `/${value}`
      if (folder !== '') paths.push({ path: folder, isFolder: true })
    } else if (line.startsWith('R:')) paths.push({ path: `${folder}/${value}`, isFolder: false })
    else if (/^[aM]:/.test(line)) paths.at(-1)!.acl = value
  }
  const { name, version, arch, description, url, license, origin, maintainer, commit, buildDate } = entry!
  const { depends, provides, installIf, providerPriority, installedSize } = entry!
  const info: PackageInfo = {
    ...{ name, version, arch, description, url, license, origin, maintainer, commit, buildDate, size: installedSize },
    depends: words(depends),
    provides: words(provides),
    installIf: words(installIf),
    ...(providerPriority > 0 && { providerPriority }),
    replaces: words(field('r')),
    ...(field('q') !== undefined && { replacesPriority: Number(field('q')) }),
  }
  return { info, checksum: entry!.checksum, paths }
}

/** Signed packages by file name, of everything that is installed below a folder. */
export const packagesOf = async (root: string, key: SigningKey): Promise<Map<string, Uint8Array>> => {
  const database = readFileSync(join(root, 'lib/apk/db/installed'), 'utf8')
  const triggers = new Map(
    readFileSync(join(root, 'lib/apk/db/triggers'), 'utf8')
      .split('\n')
      .map((line) => [line.split(' ')[0]!, words(line).slice(1)]),
  )
  const archive = join(root, 'lib/apk/db/scripts.tar')
  const scriptFiles = spawnSync('tar', ['-tf', archive], { encoding: 'utf8' }).stdout.split('\n')
  const made = new Map<string, Uint8Array>()
  for (const { info, checksum, paths } of database
    .split('\n\n')
    .filter((one) => one.trim() !== '')
    .map(listed)) {
    const blobs = new MemoryBlobs()
    const records: TreeRecord[] = []
    for (const { path, isFolder, acl } of paths) {
      const [uid = 0, gid = 0, mode] = (acl ?? '')
        .split(':')
        .map((number, index) => Number.parseInt(number, index === 2 ? 8 : 10) || 0)
      if (isFolder) {
        records.push({ path, kind: 'directory', uid, gid, mode: mode ?? 0o755 })
        continue
      }
      const place = join(root, path)
      if (lstatSync(place).isSymbolicLink())
        records.push({ path, kind: 'symlink', uid: 0, gid: 0, mode: 0o777, target: readlinkSync(place) })
      else
        records.push({ path, kind: 'file', uid, gid, mode: mode ?? 0o644, blob: await blobs.put(readFileSync(place)) })
    }
    const scripts: Partial<Record<ScriptName, string>> = {}
    const prefix = `${info.name}-${info.version}.${checksum}.`
    for (const file of scriptFiles)
      if (file.startsWith(prefix))
        scripts[file.slice(prefix.length) as ScriptName] = spawnSync('tar', ['-xOf', archive, file], {
          encoding: 'utf8',
        }).stdout
    const own = triggers.get(checksum)
    const bytes = await writeApk({ info: { ...info, ...(own && { triggers: own }) }, records, scripts, key }, blobs)
    made.set(`${info.name}-${info.version}.apk`, bytes)
  }
  return made
}
