// apt itself as the judge of what a set of packages resolves to.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseClearSigned } from '../dist/archive/clear-signed.js'
import { parseRelease } from '../dist/archive/release.js'
import { Universe } from '../dist/resolve/universe.js'
import { readList } from './host.js'
import { readIndex, suiteOf } from './packages.js'

/** The lists that apt has for one architecture, in apt's order; undefined where there are none. */
export const aptUniverse = (architecture: string): Universe | undefined => {
  const { status, stdout } = spawnSync(
    'apt-get',
    ['indextargets', '--format', '$(FILENAME)', 'Created-By: Packages', `Architecture: ${architecture}`],
    { encoding: 'utf8' },
  )
  if (status !== 0) return undefined
  const packages = stdout.split('\n').flatMap((path) => {
    const stored = [path, ...['lz4', 'xz', 'gz'].map((ending) => `${path}.${ending}`)]
    const bytes = path && stored.flatMap((name) => tryRead(name) ?? [])[0]
    const base = /^(.*_dists_([^_]+))_/.exec(path)
    if (!bytes || !base) return []
    const text = readFileSync(`${base[1]}_InRelease`, 'utf8')
    const release = parseRelease(parseClearSigned(text, path).body, path)
    const aliases = [release.suite, release.codename].filter((name) => name !== undefined)
    const { notAutomatic, butAutomaticUpgrades } = release
    return readIndex(bytes, suiteOf(base[2]!, { aliases, notAutomatic, butAutomaticUpgrades }), path)
  })
  return packages.length > 0 ? new Universe(packages, architecture) : undefined
}

const tryRead = (path: string): Buffer | undefined => {
  try {
    return readList(path)
  } catch {
    return undefined
  }
}

/**
 * `name=version` of what apt would install on an empty system, sorted; undefined where apt fails. It is asked what it
 * would download: simulating also puts hundreds of packages in order, which takes seconds.
 */
export const aptInstalls = (names: readonly string[], folder: string): string[] | undefined => {
  // A cache of its own: some machines are set up to keep none, and then every call parses all lists.
  mkdirSync(join(folder, 'archives', 'partial'), { recursive: true })
  const { status, stdout } = spawnSync(
    'apt-get',
    [
      '--print-uris',
      '--yes',
      '--no-install-recommends',
      '-oDir::State::status=/dev/null',
      '-oDir::Etc::preferences=/dev/null',
      '-oDir::Etc::preferencesparts=/dev/null',
      `-oDir::Cache=${folder}`,
      '-oDir::Cache::pkgcache=pkgcache.bin',
      '-oDir::Cache::srcpkgcache=srcpkgcache.bin',
      'install',
      ...names,
    ],
    { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1 << 28 },
  )
  if (status !== 0) return undefined
  // 'URI' name_version_architecture.deb size digest
  return [...stdout.matchAll(/^'[^']*' (\S+?)_(\S+)_\w+\.deb /gm)]
    .map(([, name, version]) => `${name}=${version!.replaceAll('%3a', ':')}`)
    .sort()
}
