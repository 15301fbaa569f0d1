import { type Artifact, type Component, FileTree, type TapContext, ZosError } from '@zos/core'
import { releasePackage } from './bill.js'
import type { ReleaseComponent } from './options.js'
import { checkStatic } from './static-elf.js'

/** Where a program that somebody else built goes. */
export const releasePath = ({ url, rename, install }: ReleaseComponent): string =>
  install ?? `/usr/bin/${rename ?? new URL(url).pathname.split('/').at(-1)}`

/** Takes a downloaded program as it is, once its ELF header says that it is static and for this machine. */
export const buildRelease = async ({ name, plugin, options }: Component, ctx: TapContext): Promise<Artifact> => {
  const component = options as unknown as ReleaseComponent
  const { blob } = await ctx.fetched(name)
  if (!blob) throw new ZosError('RUST_SOURCE', `nothing was fetched for ${name}`)
  checkStatic(await ctx.blobs.read(blob), component.url, ctx.arch)
  const path = releasePath(component)
  ctx.package(releasePackage(name, component.url, blob.sha256))
  const origin = { plugin, package: name }
  return {
    trees: { tree: FileTree.from([{ path, kind: 'file', mode: 0o755, uid: 0, gid: 0, blob, origin }]) },
    facts: { programs: { [name]: path } },
  }
}
