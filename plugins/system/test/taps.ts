// The plugin's taps on a tree in memory, and what these tests look at of it.
import { runPlugin, type TreeContent } from '@zos/core/testing'
import { type SystemOptions, system } from '../dist/index.js'

export interface Image {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly links?: Readonly<Record<string, string>>
  readonly mode?: 'debug' | 'release'
  readonly project?: Readonly<Record<string, string>>
}

/** Runs all taps, or those that are named as `hook name`. Files of the image are programs. */
export const run = async (options: SystemOptions, image: Image, only?: readonly string[]) => {
  const { files = {}, links = {}, mode, project } = image
  const tree: TreeContent = {
    ...Object.fromEntries(Object.entries(files).map(([path, content]) => [path, { content, mode: 0o755 }])),
    ...Object.fromEntries(Object.entries(links).map(([path, link]) => [path, { link }])),
  }
  const ran = await runPlugin(system(options), {
    tree,
    name: 'my-image',
    ...(mode && { mode }),
    ...(project && { project }),
    ...(only && { only }),
  })
  const paths = [...ran.tree.records()].filter(({ kind }) => kind !== 'directory').map(({ path }) => path)
  return { ...ran, paths, said: ran.findings.map(({ code, subject }) => `${code} ${subject}`) }
}
