import type { Artifact, Blobs, DeltaBuilder, FileTree, Json } from '@zos/core'
import type { RootConfig } from '../build.js'
import type { Applets } from './applet-links.js'
import { type Applied, applyRules } from './apply-rules.js'
import { installedText, scriptsTar, triggersText } from './database.js'
import type { UnpackedPackage } from './facts.js'
import { layPackages } from './layers.js'

/** Facts of the root's artifact. */
export type RootFacts = {
  /** Versions by name. */
  readonly packages: Readonly<Record<string, string>>
  /** Scripts that may matter and that no rule stands for. */
  readonly unruled: Applied['unruled']
  /** Programs inside the busybox of the image; links are made where nothing else brings them. */
  readonly applets: readonly Applets[]
}

const owner = { package: 'apk-tools' }

/** The root file system: packages, what stands for their scripts, and apk's database and configuration. */
export const rootTree = async (
  packages: readonly UnpackedPackage[],
  config: RootConfig,
  plugin: string,
  blobs: Blobs,
): Promise<Artifact> => {
  const { tree: laid, lost } = layPackages(packages, plugin)
  const applied = await applyRules(laid, packages, blobs)
  const losses = new Map(applied.owned.map((one, index) => [one, lost.get(packages[index]!)!]))
  const { delta } = applied
  putConfig(delta, laid, config)
  delta.file('/lib/apk/db/installed', installedText(applied.owned, losses), owner)
  delta.file('/lib/apk/db/scripts.tar', scriptsTar(packages), owner)
  delta.file('/lib/apk/db/triggers', triggersText(packages), owner)
  delta.file('/lib/apk/db/lock', '', { ...owner, mode: 0o600 })
  // apk keeps what it fetches and runs here.
  for (const path of ['/lib/apk/exec', '/var/cache/apk']) if (!laid.get(path)) delta.directory(path, owner)
  const built = delta.build()
  for (const content of built.contents.values()) await blobs.put(content)
  const facts: RootFacts = {
    packages: Object.fromEntries([...packages].map(({ name, facts: { info } }) => [name, info.version]).sort()),
    unruled: applied.unruled,
    applets: applied.applets,
  }
  return { trees: { tree: laid.apply(built, { plugin }) }, facts: facts as unknown as Record<string, Json> }
}

const putConfig = (delta: DeltaBuilder, laid: FileTree, { arch, world, repositories, keys }: RootConfig): void => {
  const text = (path: string, lines: readonly string[]): void => {
    const content = lines.map((line) => `${line}\n`).join('')
    if (laid.get(path)) delta.replace(path, content)
    else delta.file(path, content, owner)
  }
  text('/etc/apk/arch', [arch])
  text('/etc/apk/world', world)
  text('/etc/apk/repositories', repositories)
  for (const [name, pem] of Object.entries(keys))
    if (!laid.get(`/etc/apk/keys/${name}`)) delta.file(`/etc/apk/keys/${name}`, pem, owner)
}
