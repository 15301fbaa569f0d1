import { spawnSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inFolder } from './host.js'

/** What goes into a package: text, a link (`-> target`), a hard link (`=> path`), with a mode after a blank. */
export interface MadePackage {
  readonly control: string
  readonly files?: Readonly<Record<string, string>>
  readonly modes?: Readonly<Record<string, number>>
  readonly scripts?: Readonly<Record<string, string>>
}

/** A package made by dpkg-deb itself. */
export const makeDeb = ({ control, files = {}, modes = {}, scripts = {} }: MadePackage): Buffer =>
  inFolder((folder) => {
    const root = join(folder, 'root')
    mkdirSync(join(root, 'DEBIAN'), { recursive: true, mode: 0o755 })
    const needed = control.includes('Maintainer:') ? '' : 'Maintainer: x <x@example.org>\nDescription: x\n'
    writeFileSync(join(root, 'DEBIAN/control'), `${control.trimEnd()}\n${needed}`)
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(root, 'DEBIAN', name), text, { mode: 0o755 })
    for (const [path, content] of Object.entries(files)) {
      const place = join(root, path)
      mkdirSync(dirname(place), { recursive: true, mode: 0o755 })
      if (content.startsWith('-> ')) symlinkSync(content.slice(3), place)
      else if (content.startsWith('=> ')) linkSync(join(root, content.slice(3)), place)
      else if (content === '/') mkdirSync(place, { recursive: true })
      else writeFileSync(place, content, { mode: 0o644 })
    }
    for (const [path, mode] of Object.entries(modes)) chmodSync(join(root, path), mode)
    const out = join(folder, 'made.deb')
    const made = spawnSync('dpkg-deb', ['--root-owner-group', '-b', root, out], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`dpkg-deb: ${made.stderr}`)
    return readFileSync(out)
  })
