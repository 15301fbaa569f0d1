// From a config file to the checked, frozen `Config`: found, loaded, merged, overridden, checked.
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Arch, Mode } from '../context.js'
import { ExitCode, hideSecret, isZosError, ZosError } from '../error.js'
import type { Descriptor } from '../plugin.js'
import { configError, type Problem, problemsOf } from './check.js'
import { didYouMean } from './closest.js'
import { type ConfigInput, type ConfigModule, isConfigModule, type UserConfig } from './define.js'
import { applyVariant } from './merge.js'
import { override } from './overrides.js'
import { projectRoot } from './root.js'
import { secretVariables } from './values.js'

/** What the command line says about the config; flags come before the environment. */
export interface LoadOptions {
  readonly cwd: string
  readonly file?: string | undefined
  readonly mode?: Mode | undefined
  readonly arch?: Arch | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The checked, frozen result. */
export interface Config {
  readonly name: string
  readonly arch: Arch
  readonly mode: Mode
  /** Absolute path of the config file. */
  readonly file: string
  /** Project root: the folder of the nearest package.json; paths in options are relative to it. */
  readonly root: string
  readonly lockFile: string
  readonly outputFolder: string
  readonly plugins: readonly Descriptor[]
  readonly initramfs: NonNullable<UserConfig['initramfs']>
  readonly size: NonNullable<UserConfig['size']>
  /** The tree that commands run in; the host where there is none. */
  readonly toolchain: UserConfig['toolchain']
  readonly publish: NonNullable<UserConfig['publish']>
  /** Variables that changed options, by plugin id; `*` for those that the config's own function read. */
  readonly overridden: Readonly<Record<string, readonly string[]>>
  /** Variables that decide something here, set or not. */
  readonly variables: readonly string[]
}

/** What the core itself looks at. */
const coreVariables = [
  'BUILDMODE',
  'TARGETARCH',
  'SOURCE_DATE_EPOCH',
  'ZOS_STORE',
  'DEBUG',
  'FORCE_REBUILD',
  'REBUILD_FROM_STAGE',
  'CACHE_DOWNLOADS',
  'VERIFY_CHECKSUMS',
  'PATH',
]

const extension = /\.config\.(ts|mts|js|mjs)$/

const locate = async ({ cwd, file }: LoadOptions): Promise<string> => {
  if (file !== undefined) {
    const path = resolve(cwd, file)
    if (!extension.test(path))
      throw new ZosError(
        'CONFIG_NAME',
        `${file}: expected a name such as small.config.ts, beside which its lock lies`,
        {
          exit: ExitCode.config,
        },
      )
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path
    throw new ZosError('CONFIG_MISSING', `${file}: no such config file`, { exit: ExitCode.config })
  }
  const { cosmiconfig } = await import('cosmiconfig')
  const found = await cosmiconfig('zos', {
    searchPlaces: ['zos.config.ts', 'zos.config.mts', 'zos.config.js', 'zos.config.mjs'],
    loaders: { '.ts': () => ({}), '.mts': () => ({}), '.js': () => ({}), '.mjs': () => ({}) },
    stopDir: '/',
  }).search(cwd)
  if (found) return found.filepath
  throw new ZosError('CONFIG_MISSING', `no zos.config.ts in ${cwd} or a folder above it`, {
    hint: ['name one: zos build -c variants/quickstart.config.ts', 'or start a project here: zos init'],
    exit: ExitCode.config,
  })
}

/** Runs code of the config; what it throws is `CONFIG_LOAD` with the line. */
const loading = async <T>(file: string, run: () => T | Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (cause) {
    if (isZosError(cause)) throw cause
    const { message, stack } = cause instanceof Error ? cause : new Error(String(cause))
    const line = stack
      ?.split('\n')
      .find((text) => /^\s+at /.test(text) && text.includes(basename(file)))
      ?.trim()
    throw new ZosError('CONFIG_LOAD', `${file} cannot be loaded: ${message}${line ? `\n  ${line}` : ''}`, {
      exit: ExitCode.config,
      cause,
    })
  }
}

const evaluate = async (file: string, root: string): Promise<unknown> => {
  const { createJiti } = await import('jiti')
  const jiti = createJiti(file, {
    fsCache: join(root, '.zos', 'jiti'),
    interopDefault: false,
    nativeModules: ['@zos/core', 'valibot', 'tapable'],
  })
  return loading(file, async () => ((await jiti.import(file)) as { default?: unknown }).default)
}

const architectures: Readonly<Record<string, Arch>> = {
  amd64: 'x86_64',
  x86_64: 'x86_64',
  arm64: 'aarch64',
  aarch64: 'aarch64',
}

const archOf = (env: LoadOptions['env']): Arch | undefined => {
  const text = env.TARGETARCH
  if (!text) return undefined
  const arch = architectures[text]
  if (arch) return arch
  throw new ZosError('ENV_ARCH', `TARGETARCH=${text}: expected amd64 or arm64`, { exit: ExitCode.config })
}

const modeOf = (env: LoadOptions['env']): Mode | undefined => {
  const text = env.BUILDMODE
  if (!text) return undefined
  if (text === 'debug' || text === 'release') return text
  throw new ZosError('ENV_MODE', `BUILDMODE=${text}: expected debug or release`, { exit: ExitCode.config })
}

type Variables = Readonly<Record<string, string | undefined>>

/** An environment that notes which variables were read and set; an empty one is not set, and has what a variant says. */
const watched = (env: Variables, own: Variables, read: Set<string>, asked: Set<string>): ConfigInput['env'] =>
  new Proxy(env, {
    get: (target, name) => {
      if (typeof name !== 'string') return undefined
      asked.add(name)
      if (!target[name]) return own[name]
      read.add(name)
      return target[name]
    },
  })

/** Variables of the environment that the base's function heeds, and a variant's own options then hide. */
const hidden = async (
  base: UserConfig,
  { changes }: ConfigModule,
  make: (env: Variables) => Promise<UserConfig>,
  env: Variables,
  read: ReadonlySet<string>,
): Promise<string[]> => {
  const text = ({ plugins, ...rest }: UserConfig): string =>
    JSON.stringify([rest, Array.isArray(plugins) && plugins.map(({ id, options }) => [id, options])])
  const merged = (config: UserConfig): string =>
    text(changes.reduce((one, change) => applyVariant(one, change, new Set(), []), config))
  const found: string[] = []
  for (const name of changes.length > 0 ? read : []) {
    const without = await make({ ...env, [name]: undefined })
    if (text(without) !== text(base) && merged(without) === merged(base)) found.push(name)
  }
  return found
}

const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freeze(member)
  }
  return value
}

/** Loads, merges, overrides, checks and freezes. All problems come in one `CONFIG_INVALID`. */
export const loadConfig = async (options: LoadOptions): Promise<Config> => {
  const file = await locate(options)
  const root = projectRoot(file)
  const shown = relative(options.cwd, file) || file
  const module = await evaluate(file, root)
  const wrong = (expected: string): ZosError =>
    new ZosError('CONFIG_EXPORT', `${shown}: expected ${expected}`, { exit: ExitCode.config })
  if (!isConfigModule(module)) throw wrong('`export default defineConfig({ … })`')

  const variantArch = module.changes.reduce<Arch | undefined>((arch, change) => change.arch ?? arch, undefined)
  const mode = options.mode ?? modeOf(options.env) ?? 'debug'
  const asked = options.arch ?? archOf(options.env) ?? variantArch
  const read = new Set<string>()
  const variables = new Set(coreVariables)
  const ownVariables: Variables = Object.assign({}, ...module.changes.map(({ env }) => env))
  const make = async (arch: Arch, env: Variables = options.env, heeded = read): Promise<UserConfig> => {
    const made = await loading(file, () =>
      module.make({ env: watched(env, ownVariables, heeded, variables), mode, arch }),
    )
    if (typeof made === 'object' && made !== null) return made
    throw wrong('a function that returns a config')
  }
  const first = await make(asked ?? 'x86_64')
  const own = asked ?? first.arch
  // A config that names its architecture gets what it has named.
  const base = own === 'aarch64' && asked === undefined ? await make(own) : first

  const problems: Problem[] = []
  for (const name of Object.keys(ownVariables))
    if (!variables.has(name))
      problems.push({
        path: `env.${name}`,
        message: `the base reads no such variable${didYouMean(name, [...variables])}`,
      })
  const again = (env: Variables): Promise<UserConfig> => make(own ?? 'x86_64', env, new Set())
  for (const name of await hidden(base, module, again, options.env, read))
    problems.push({
      path: 'plugins',
      message: `${name} is set, but the variant says otherwise; what a variable may change it says with env: { ${name}: '…' }`,
    })
  const off = new Set<string>()
  const merged = module.changes.reduce((config, change) => applyVariant(config, change, off, problems), base)
  const overridden: Record<string, readonly string[]> = read.size > 0 ? { '*': [...read].sort() } : {}
  const plugins = Array.isArray(merged.plugins)
    ? merged.plugins.map((plugin) => {
        if (!plugin?.definition) return plugin
        for (const name of Object.keys(plugin.definition.env ?? {})) variables.add(name)
        const { descriptor, by } = override(plugin, options.env)
        if (by.length > 0) overridden[plugin.id] = by
        return descriptor
      })
    : merged.plugins
  const config = { ...merged, plugins }
  problems.push(...problemsOf(config, off))
  if (problems.length > 0) throw configError(shown, problems)
  for (const name of secretVariables(config.plugins.map(({ options: own }) => own))) hideSecret(options.env[name])

  const isMain = dirname(file) === root && basename(file).startsWith('zos.config.')
  for (const { options } of plugins) freeze(options)
  return Object.freeze({
    name: config.name,
    arch: asked ?? config.arch ?? 'x86_64',
    mode,
    file,
    root,
    lockFile: file.replace(extension, '.lock'),
    outputFolder: isMain ? join(root, 'dist') : join(root, 'dist', config.name),
    plugins,
    initramfs: config.initramfs ?? {},
    size: config.size ?? {},
    toolchain: config.toolchain,
    publish: config.publish ?? [],
    overridden,
    variables: [...variables].sort(),
  })
}

const relativeImport = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g

/** A module file and the files that it imports by relative path, all of them. */
export const moduleFiles = (file: string, found = new Set<string>()): Set<string> => {
  if (found.has(file)) return found
  found.add(file)
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(relativeImport)) {
    const path = resolve(dirname(file), specifier)
    const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.mjs$/, '.mts'), `${path}.ts`, `${path}.js`]
    const target = candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile())
    if (target) moduleFiles(target, found)
  }
  return found
}
