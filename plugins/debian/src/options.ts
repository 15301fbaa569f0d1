import type { Arch } from '@zos/core'
import * as v from 'valibot'

/** Where Debian's two archives are: the folders with `dists/` and `pool/` in them. */
export type MirrorOptions = {
  readonly debian: string
  /** Where it is not beside the other one as `debian-security`. */
  readonly security?: string
}

export interface DebianOptions {
  /** Code name of the release: `bookworm`. */
  readonly suite: string
  /**
   * All suites to take packages from, the first one first; SUITE, SUITE-updates and SUITE-security where nothing else
   * is said. A suite that a package names (`upx-ucl/bookworm-backports`) is added by itself.
   */
  readonly suites?: readonly string[]
  /** Parts of the archive; `main` where nothing else is said. `non-free-firmware` has the firmware. */
  readonly components?: readonly string[]
  /** What is installed, with what it depends on: `name`, `name/suite` or `name=version`. Recommendations are left out. */
  readonly packages: readonly string[]
  /** Also installs all packages marked essential (a shell, coreutils, dpkg, …). Off where nothing else is said. */
  readonly essential?: boolean
  /**
   * Whether the packages are the base of the image; on where nothing else is said. Off for a root file system that is
   * only a toolchain: `defineConfig({ toolchain: tools.root })`.
   */
  readonly image?: boolean
  /** Architecture of the packages; the image's where nothing else is said. A toolchain's is that of the machine that builds. */
  readonly arch?: Arch
  /** Keeps documentation, manual pages and translations. Off where nothing else is said; licences always stay. */
  readonly documentation?: boolean
  /** Mirrors to use in place of those that the host's apt uses. DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR override it. */
  readonly mirror?: string | MirrorOptions
  /** Path of a keyring that the suites are signed with, in place of the host's; binary or armored. */
  readonly keyring?: string
  /** Where dropped versions of packages still are; `{archive}` stands for `debian` or `debian-security`. */
  readonly snapshot?: string
}

const text = v.pipe(v.string(), v.nonEmpty())
const address = v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, 'expected an http or https address'))
const suite = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9.-]*(\/updates)?$/, 'expected the name of a suite, such as bookworm'),
)

export const debianOptions: v.GenericSchema<DebianOptions> = v.strictObject({
  suite,
  suites: v.exactOptional(v.pipe(v.array(suite), v.minLength(1))),
  components: v.exactOptional(v.pipe(v.array(text), v.minLength(1))),
  packages: v.array(text),
  essential: v.exactOptional(v.boolean()),
  image: v.exactOptional(v.boolean()),
  arch: v.exactOptional(v.picklist(['x86_64', 'aarch64'])),
  documentation: v.exactOptional(v.boolean()),
  mirror: v.exactOptional(
    v.union(
      [address, v.strictObject({ debian: address, security: v.exactOptional(address) })],
      'expected an http or https address, or { debian, security }',
    ),
  ),
  keyring: v.exactOptional(text),
  snapshot: v.exactOptional(
    v.pipe(address, v.includes('{archive}', 'expected {archive} where debian or debian-security belongs')),
  ),
})

/** Suites that come with a release; releases in the making have neither updates nor their own security fixes. */
export const suitesOf = ({ suite: release, suites }: DebianOptions): readonly string[] =>
  suites ??
  (release === 'sid' || release === 'unstable' ? [release] : [release, `${release}-updates`, `${release}-security`])
