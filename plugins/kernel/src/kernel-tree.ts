import { type Blob, type FileTree, ZosError } from '@zos/core'
import { readBzImage } from '@zos/core/format'

/** The parts of a prebuilt kernel in a tree of packages. */
export interface KernelFiles {
  /** What `uname -r` will say, and the name of the modules' folder: `6.12.117+deb12-cloud-amd64`. */
  readonly release: string
  readonly image: Blob
  readonly config: Blob
  readonly systemMap: Blob
  /** The folder of the modules as a tree of its own (`/kernel/fs/…`, `/modules.builtin`), without depmod's indexes. */
  readonly modules: FileTree
}

/** What the kernel's own build leaves beside the modules; the rest of the folder is depmod's, or links to sources. */
export const buildLists: readonly string[] = ['/modules.builtin', '/modules.builtin.modinfo', '/modules.order']

/** Finds the one kernel of a tree: Debian's layout (`/boot/vmlinuz-RELEASE`) or Alpine's (`/boot/vmlinuz-lts`). */
export const findKernel = (tree: FileTree): KernelFiles => {
  const release = onlyRelease(tree)
  const folder = tree.subtree(`/lib/modules/${release}`)
  return {
    release,
    image: imageOf(tree, release),
    config: fileAt(tree, `/boot/config-${release}`, release),
    systemMap: fileAt(tree, `/boot/System.map-${release}`, release),
    modules: folder.filter(
      ({ path, kind }) => buildLists.includes(path) || (kind !== 'directory' && path.lastIndexOf('/') > 0),
    ),
  }
}

const onlyRelease = (tree: FileTree): string => {
  const releases = tree.list('/lib/modules').filter((name) => tree.get(`/lib/modules/${name}/modules.builtin`))
  const [release] = releases
  if (release !== undefined && releases.length === 1) return release
  throw new ZosError(
    'KERNEL_SOURCE',
    release === undefined
      ? 'the source tree has no kernel: no /lib/modules/RELEASE/modules.builtin'
      : `the source tree has ${releases.length} kernels: ${releases.join(', ')}`,
    { hint: "give kernel({ source }) one kernel package: base.tree(['linux-image-6.12-cloud-amd64'])" },
  )
}

const imageOf = (tree: FileTree, release: string): Blob => {
  const images = tree.glob('/boot/vmlinu?-*').filter(({ kind }) => kind === 'file')
  const image = images.find(({ path }) => path.endsWith(`-${release}`)) ?? (images.length === 1 ? images[0] : undefined)
  if (image?.kind === 'file') return image.blob
  const found = images.length > 0 ? images.map(({ path }) => path).join(', ') : 'none'
  throw new ZosError(
    'KERNEL_SOURCE',
    `expected one image /boot/vmlinuz-${release} or /boot/vmlinuz-FLAVOUR, found ${found}`,
  )
}

const fileAt = (tree: FileTree, path: string, release: string): Blob => {
  const real = tree.resolve(path)
  const entry = real === undefined ? undefined : tree.get(real)
  if (entry?.kind === 'file') return entry.blob
  throw new ZosError('KERNEL_SOURCE', `the source tree has kernel ${release}, but no file ${path}`, {
    hint: 'its package ships the config and System.map as a rule; name the package that does',
  })
}

/** An x86 image says itself what `uname -r` will be; it must be the modules' folder's name, or no module would load. */
export const checkImageRelease = (image: Uint8Array, release: string): void => {
  const said = readBzImage(image)
  if (said.release === release) return
  throw new ZosError('KERNEL_SOURCE', `the kernel image is ${said.release}, its modules are for ${release}`, {
    hint: 'the source tree mixes two kernel packages: name one',
  })
}
