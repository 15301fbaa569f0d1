import { type FetchContext, isZosError, type Scratch, ZosError } from '@zos/core'
import { decompress } from '@zos/core/format'
import { Deb822Reader } from '../control/deb822.js'
import type { DebianOptions } from '../options.js'
import type { AptSource } from './apt-sources.js'
import { type Archive, archiveFor } from './archives.js'
import { type BinaryPackage, indexFields, readBinaryPackage, type Suite } from './binary-package.js'
import { parseClearSigned } from './clear-signed.js'
import { checkSignatures, gpgvCommand, parseGpgvStatus } from './gpgv.js'
import { hostChecksFreshness, hostSources, mirrorChoice } from './host-apt.js'
import { keyringsFor } from './keyrings.js'
import {
  checkFreshness,
  checkSuite,
  indexPath,
  type PackagesIndex,
  packagesIndexes,
  parseRelease,
  type Release,
} from './release.js'

const limits = { release: 32 * 1024 * 1024, index: 512 * 1024 * 1024 }

/** What all suites of one resolution share. */
interface Host {
  readonly sources: readonly AptSource[]
  readonly checksFreshness: boolean
  readonly scratch: Scratch
}

/**
 * Every package that the suites offer for an architecture, in the order of the suites. The chain is checked all the
 * way: signature of InRelease by gpgv, digest of each index in it. Throws `DEBIAN_*` and what downloads throw.
 */
export const fetchPackages = async (
  suites: readonly string[],
  architecture: string,
  options: DebianOptions,
  ctx: FetchContext,
): Promise<BinaryPackage[]> => {
  if (!(await ctx.has('gpgv')))
    throw new ZosError('HOST_TOOL_MISSING', 'gpgv is not there; it checks who signed what Debian offers', {
      hint: 'apt-get install gpgv',
    })
  const host: Host = {
    sources: await hostSources(ctx),
    checksFreshness: await hostChecksFreshness(ctx),
    scratch: await ctx.scratch(),
  }
  const components = options.components ?? ['main']
  const packages = await Promise.all(
    suites.map(async (name) => {
      const archive = archiveFor(name, host.sources, mirrorChoice(options, ctx.env))
      const release = await fetchRelease(name, archive, options, host, ctx)
      const suite = suiteOf(name, archive, release)
      const file = `${name} (${archive.mirrors[0]})`
      const indexes = packagesIndexes(release, { components, architecture, file })
      return (await Promise.all(indexes.map((index) => fetchIndex(index, suite, archive, release, ctx)))).flat()
    }),
  )
  return packages.flat()
}

const suiteOf = (name: string, archive: Archive, release: Release): Suite => ({
  name,
  archive: archive.label,
  aliases: [release.suite, release.codename].filter((alias) => alias !== undefined),
  notAutomatic: release.notAutomatic,
  butAutomaticUpgrades: release.butAutomaticUpgrades,
})

const fetchRelease = async (
  suite: string,
  archive: Archive,
  { keyring }: DebianOptions,
  { checksFreshness, scratch }: Host,
  ctx: FetchContext,
): Promise<Release> => {
  ctx.progress(`InRelease of ${suite}`)
  const urls = archive.mirrors.map((mirror) => `${mirror}/dists/${suite}/InRelease`)
  const blob = await ctx.download(urls, { maxSize: limits.release })
  const file = urls[0]!
  const text = Buffer.from(await ctx.blobs.read(blob)).toString('utf8')
  const { body } = parseClearSigned(text, file)
  const keyrings = await keyringsFor(archive, keyring, ctx, scratch)
  const signed = `${suite.replace('/', '-')}.InRelease`
  await scratch.write(signed, blob)
  const status = await statusOf(ctx.run(gpgvCommand({ keyrings: keyrings.paths, signed: `${scratch.path}/${signed}` })))
  const { fingerprints } = keyrings
  checkSignatures(parseGpgvStatus(status), { file, keyrings: keyrings.names, ...(fingerprints && { fingerprints }) })
  const release = parseRelease(body, file)
  checkSuite(release, suite, file)
  if (checksFreshness) checkFreshness(release, ctx.now, file)
  return release
}

/** gpgv ends with 2 already when one of several keys is unknown to it; its status lines say what is what. */
const statusOf = async (running: Promise<{ readonly stderr: string }>): Promise<string> => {
  try {
    return (await running).stderr
  } catch (error) {
    const { exitCode, stderr } = isZosError(error) ? error.data : {}
    if ((exitCode === 1 || exitCode === 2) && typeof stderr === 'string') return stderr
    throw error
  }
}

const compressions = { xz: 'xz', gzip: 'gz', none: 'none' } as const

const fetchIndex = async (
  { component, variants }: PackagesIndex,
  suite: Suite,
  { mirrors }: Archive,
  release: Release,
  ctx: FetchContext,
): Promise<BinaryPackage[]> => {
  ctx.progress(`packages of ${suite.name}, ${component}`)
  const [smallest] = variants
  if (!smallest || smallest.size === 0) return []
  const { sha256, size, compression } = smallest
  const path = indexPath(release, suite.name, smallest)
  const blob = await ctx.download(
    mirrors.map((mirror) => `${mirror}/${path}`),
    { sha256, size },
  )
  const name = `${suite.name}/${smallest.path}`
  const reader = new Deb822Reader({ file: name, fields: indexFields })
  const packages: BinaryPackage[] = []
  const take = (stanzas: ReturnType<Deb822Reader['end']>) => {
    for (const stanza of stanzas) packages.push(readBinaryPackage(stanza, suite, name))
  }
  const unpacked = decompress(ctx.blobs.stream(blob), compressions[compression], { name, outputBytes: limits.index })
  for await (const piece of unpacked) take(reader.push(piece))
  take(reader.end())
  return packages
}
