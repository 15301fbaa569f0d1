import { isZosError, type TapContext, type Toolchain, ZosError } from '@zos/core'
import type { KernelConfig } from './kernel-config.js'
import type { KernelTarget } from './target.js'

const always = ['make', 'gcc', 'ld', 'objcopy', 'flex', 'bison', 'bc', 'perl', 'tar', 'zstd', 'xz']

/** What brings them, and what else every build needs, on Debian. */
const debianPackages = 'bc bison build-essential flex libelf-dev perl xz-utils zstd'

/** What some options of the kernel want of the machine that builds, beyond what every build needs. */
const byConfig: readonly {
  readonly symbol: string
  readonly tools?: readonly string[]
  readonly packages?: readonly string[]
}[] = [
  { symbol: 'CONFIG_KERNEL_LZ4', tools: ['lz4'] },
  { symbol: 'CONFIG_KERNEL_LZO', tools: ['lzop'] },
  { symbol: 'CONFIG_KERNEL_BZIP2', tools: ['bzip2'] },
  { symbol: 'CONFIG_DEBUG_INFO_BTF', tools: ['pahole'] },
  { symbol: 'CONFIG_IKHEADERS', tools: ['cpio'] },
  { symbol: 'CONFIG_BUILTIN_MODULE_RANGES', tools: ['gawk'] },
  { symbol: 'CONFIG_MODULE_SIG_FORMAT', packages: ['libssl-dev'] },
  { symbol: 'CONFIG_SYSTEM_TRUSTED_KEYRING', packages: ['libssl-dev'] },
]

/** The host's compiler and all that the kernel's build calls; what is missing is an error before anything is unpacked. */
export const compilerFor = async (
  ctx: TapContext,
  { prefix, compiler }: KernelTarget,
  config: KernelConfig = new Map(),
): Promise<Toolchain> => {
  const wanted = byConfig.filter(({ symbol }) => config.get(symbol) === 'y')
  const cross = prefix === '' ? [] : ['gcc', 'ld', 'objcopy'].map((tool) => `${prefix}${tool}`)
  const packages = ['binutils', 'gcc', 'libc6-dev', 'libelf-dev', ...wanted.flatMap((want) => want.packages ?? [])]
  try {
    return await ctx.host({
      tools: [...always, ...cross, ...wanted.flatMap(({ tools = [] }) => tools)],
      packages: [...new Set(cross.length > 0 ? [...packages, compiler] : packages)],
    })
  } catch (cause) {
    if (!isZosError(cause) || cause.code !== 'HOST_TOOL_MISSING' || !always.includes(String(cause.data.tool)))
      throw cause
    const { code, message, exit, data } = cause
    throw new ZosError(code, message, { hint: `apt-get install ${debianPackages}`, exit, data, cause })
  }
}

/** A key that the build makes on the fly would sign other bytes each time, and nobody could sign with it again. */
export const checkSigningKey = (config: KernelConfig): void => {
  if (config.get('CONFIG_MODULE_SIG') !== 'y' || config.get('CONFIG_MODULE_SIG_KEY') !== '"certs/signing_key.pem"')
    return
  throw new ZosError(
    'KERNEL_SIGNING_KEY',
    'the config has modules signed with a key that the build would make itself (CONFIG_MODULE_SIG_KEY)',
    {
      hint: [
        'leave modules unsigned: # CONFIG_MODULE_SIG is not set',
        'or trust keys that others sign with: CONFIG_MODULE_SIG_KEY=""',
      ],
    },
  )
}
