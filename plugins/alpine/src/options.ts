import type { Arch } from '@zos/core'
import * as v from 'valibot'

export interface AlpineOptions {
  /** Release branch: `3.22`, or `edge`. ALPINE_VERSION overrides it. */
  readonly branch: string
  /**
   * What is installed, with what it depends on: names as in apk's world (`name`, `name=1.0`, `name~1.0`, `name@tag`,
   * `!name`), or the path of a list with one a line.
   */
  readonly packages: string | readonly string[]
  /**
   * Repositories, the first one first: `main` is one of the branch, `edge/testing` one of another, `https://…/main` one
   * elsewhere; `@tag edge/testing` gives packages only to those who name the tag. `main` and `community` where nothing
   * else is said.
   */
  readonly repositories?: readonly string[]
  /** Folders with `v3.22/main` and its like in them, tried in this order; Alpine's own where nothing else is said. ALPINE_MIRROR goes before it. */
  readonly mirrors?: string | readonly string[]
  /** Folder of further public keys (`*.rsa.pub`) that sign indexes; they go into the image too. Alpine's own are known. */
  readonly keys?: string
  /**
   * Whether the packages are the base of the image; on where nothing else is said. Off for a root file system that is
   * only a toolchain: `defineConfig({ toolchain: tools.root })`.
   */
  readonly image?: boolean
  /** Architecture of the packages; the image's where nothing else is said. A toolchain's is that of the machine that builds. */
  readonly arch?: Arch
  /** Path of a `firmware.conf`: `base.firmware` has the packages that bring what it names. */
  readonly firmware?: string
}

const text = v.pipe(v.string(), v.nonEmpty())
const address = v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, 'expected an http or https address'))
const repository = v.pipe(
  v.string(),
  v.regex(
    /^(@[A-Za-z0-9_.-]+ +)?(https?:\/\/\S+|[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*)$/,
    'expected main, edge/testing or an http address, each with @tag in front where it has one',
  ),
)

export const alpineOptions: v.GenericSchema<AlpineOptions> = v.strictObject({
  branch: v.pipe(v.string(), v.regex(/^(v?\d+\.\d+|edge)$/, 'expected a branch, such as 3.22 or edge')),
  packages: v.union([text, v.array(text)], 'expected the path of a list, or names of packages'),
  repositories: v.exactOptional(v.pipe(v.array(repository), v.minLength(1))),
  mirrors: v.exactOptional(v.union([address, v.pipe(v.array(address), v.minLength(1))], 'expected http addresses')),
  keys: v.exactOptional(text),
  image: v.exactOptional(v.boolean()),
  arch: v.exactOptional(v.picklist(['x86_64', 'aarch64'])),
  firmware: v.exactOptional(text),
})
