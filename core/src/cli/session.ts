// Makes the session of one build from what the command line says, and takes it down again.
import { setMaxListeners } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { corePlugin } from '../builtin/core-plugin.js'
import { type Config, loadConfig, moduleFiles } from '../config/load.js'
import { booleanOf } from '../config/overrides.js'
import type { Mode } from '../context.js'
import { createLimiter, createSharedLimiter } from '../engine/limiter.js'
import { codeDigest } from '../engine/plugin-code.js'
import { type BuildFlags, type Session, tapPlugins } from '../engine/session.js'
import { Verification } from '../engine/verify.js'
import { ExitCode, ZosError } from '../error.js'
import { executorOf } from '../exec/executor.js'
import type { KeptContainer } from '../exec/kept-container.js'
import { createTapables } from '../hooks.js'
import { openJobServer } from '../io/job-server.js'
import { openMirror } from '../io/mirror-read.js'
import { openMirrorTarget } from '../io/mirror-target.js'
import { createNetwork } from '../io/network.js'
import { FileDigests, Project } from '../io/project.js'
import type { Json } from '../model/canonical.js'
import { LockBook } from '../model/lock.js'
import type { Report } from '../report/report.js'
import { Store } from '../store/store.js'
import type { Cli, OptionValues } from './command.js'
import { forceRule, isForcedWhole } from './force.js'

const modeOf = (text: string | undefined): Mode | undefined => {
  if (text === undefined || text === 'debug' || text === 'release') return text
  throw new ZosError('CLI_MODE', `--mode ${text}: expected debug or release`, { exit: ExitCode.usage })
}

const archOf = (text: string | undefined): 'x86_64' | 'aarch64' | undefined => {
  if (text === undefined || text === 'x86_64' || text === 'aarch64') return text
  throw new ZosError('CLI_ARCH', `--arch ${text}: expected x86_64 or aarch64`, { exit: ExitCode.usage })
}

/** The config that the options and the environment of the process name. */
export const configOf = (cli: Cli, options: OptionValues): Promise<Config> =>
  loadConfig({
    cwd: cli.cwd,
    file: options.config as string | undefined,
    mode: modeOf(options.mode as string | undefined),
    arch: archOf(options.arch as string | undefined),
    env: cli.env,
  })

/** Where the store of a project lies. */
export const storeFolder = (cli: Cli, config: Config): string =>
  cli.env.ZOS_STORE ? resolve(cli.cwd, cli.env.ZOS_STORE) : join(config.root, '.zos')

/** How much runs at once. */
export const jobsOf = (value: unknown): number => {
  if (value === undefined) return availableParallelism()
  if (typeof value === 'number' && value >= 1) return value
  throw new ZosError('CLI_JOBS', `--jobs ${value}: expected a number from 1`, { exit: ExitCode.usage })
}

/** `--verify-cache=N%` as a part of 1. */
export const shareOf = (value: unknown): number => {
  if (value === undefined) return 0
  const percent = /^(\d{1,3})%?$/.exec(String(value))?.[1]
  if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100) return Number(percent) / 100
  throw new ZosError('CLI_VERIFY', `--verify-cache=${value}: expected a share from 1% to 100%`, {
    exit: ExitCode.usage,
  })
}

export const flagsOf = (
  cli: Cli,
  config: Config,
  options: OptionValues,
  update: BuildFlags['update'],
  container?: KeptContainer,
): BuildFlags => ({
  offline: options.offline === true,
  frozen: update === undefined && (options.frozen === true || config.mode === 'release'),
  jobs: jobsOf(options.jobs),
  force: forceRule(options, cli.env),
  forget: isForcedWhole(options, cli.env),
  executor: container?.engine ?? executorOf((options.executor as string | undefined) ?? 'bubblewrap'),
  isExecutorAsked: container !== undefined || options.executor !== undefined,
  container,
  update,
  cacheDownloads: switchOf(cli.env, 'CACHE_DOWNLOADS'),
  verifyChecksums: verifies(cli.env, config),
})

/** A switch of the environment that is on where nothing is said. */
const switchOf = (env: Cli['env'], name: string): boolean => {
  const text = env[name]
  return text ? booleanOf(name, text) : true
}

/** What is released was checked, whatever the environment says. */
const verifies = (env: Cli['env'], { mode }: Config): boolean => {
  const isOn = switchOf(env, 'VERIFY_CHECKSUMS')
  if (isOn || mode !== 'release') return isOn
  throw new ZosError('ENV_VERIFY', 'VERIFY_CHECKSUMS=false, and a release takes nothing unchecked', {
    hint: 'unset VERIFY_CHECKSUMS, or build in debug mode',
    exit: ExitCode.config,
  })
}

/** The note beside the lock that says which index of a mirror counts. */
export const mirrorNotePath = ({ lockFile }: Config): string => lockFile.replace(/\.lock$/, '.mirror.json')

const mirrorOf = (cli: Cli, config: Config, options: OptionValues, store: Store, signal: AbortSignal) => {
  const target = (options.mirror as string | undefined) ?? cli.env.ZOS_MIRROR
  if (!target) return undefined
  return openMirror(() => openMirrorTarget(target, cli.cwd, signal), mirrorNotePath(config), config.arch, store)
}

const epochOf = (env: Cli['env'], lock: LockBook): number => {
  const text = env.SOURCE_DATE_EPOCH
  if (!text) return lock.epoch
  const epoch = Number(text)
  // newc and xz hold 32 bits.
  if (Number.isInteger(epoch) && epoch >= 0 && epoch <= 0xffff_ffff) return epoch
  throw new ZosError('ENV_EPOCH', `SOURCE_DATE_EPOCH=${text}: expected seconds since 1970, below 2^32`, {
    exit: ExitCode.config,
  })
}

/** Waits for the removal of what ended builds left, unless people do not want to; says so where it takes long. */
const untilSwept = async (store: Store, report: Report, signal: AbortSignal): Promise<void> => {
  if (store.sweeping.length === 0 || signal.aborted) return
  const say = setTimeout(() => {
    const message = `removing what ${store.sweeping.length} ended builds left in ${store.folder}/work`
    report.warn({ code: 'STORE_SWEEP', message: `${message}; Ctrl-C leaves the rest to the next build` })
  }, 1000)
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([store.swept(), ended])
  clearTimeout(say)
}

/** A session, and how it ends. */
export interface OpenSession {
  readonly session: Session
  /** Writes the lock if this build may move it. */
  saveLock(): void
  close(): Promise<void>
}

export const openSession = async (
  cli: Cli,
  config: Config,
  options: OptionValues,
  report: Report,
  update?: BuildFlags['update'],
  container?: KeptContainer,
): Promise<OpenSession> => {
  const store = Store.open(storeFolder(cli, config), cli.now)
  store.onDamage = (message) => report.warn({ code: 'STORE_DAMAGED', message: `${message}; it counts as missing` })
  const digests = new FileDigests(store, cli.now)
  // As they are now, not as they are when the build ends: an edit in between has not been built.
  for (const file of moduleFiles(config.file)) digests.watch(file)
  const text = existsSync(config.lockFile) ? readFileSync(config.lockFile, 'utf8') : undefined
  // Locks that builds of one command line make carry one time: what their outputs share is the same to the byte.
  const time = cli.env.ZOS_LOCK_TIME ? Number(cli.env.ZOS_LOCK_TIME) : cli.now()
  const lock = new LockBook(relative(cli.cwd, config.lockFile) || config.lockFile, text, config.arch, time)
  if (update === 'all') lock.moveEpoch(cli.now())
  if (update !== undefined) lock.dropToolchains((plugin) => update === 'all' || update.has(plugin))
  const flags = flagsOf(cli, config, options, update, container)
  if (flags.frozen && lock.isNew)
    throw new ZosError(
      'LOCK_MISSING',
      `${lock.file} does not exist, and ${config.mode === 'release' ? 'a release' : '--frozen'} takes the lock as it is`,
      {
        hint: ['make one: zos lock', 'and commit it'],
        exit: ExitCode.lock,
      },
    )
  const core = corePlugin({
    compression: config.initramfs.compression ?? 'xz',
    ...(config.initramfs.level !== undefined && { level: config.initramfs.level }),
    order: config.plugins.map(({ id }) => id),
  })
  const plugins = [core, ...config.plugins]
  const coreCode = await codeDigest(core.definition.code, config.root, digests)
  const code = new Map<string, string>()
  const options_ = new Map<string, Json>()
  for (const plugin of plugins) {
    const own = plugin === core ? coreCode : await codeDigest(plugin.definition.code, config.root, digests)
    code.set(plugin.id, `${coreCode}:${own}`)
    options_.set(plugin.id, plugin.options as Json)
  }
  const tapables = createTapables()
  tapPlugins(tapables, plugins as never)
  const network = createNetwork(store, cli.env)
  const stop = new AbortController()
  const signal = AbortSignal.any([cli.signal, stop.signal])
  // Every download and command listens.
  setMaxListeners(0, signal)
  const jobServer = cli.env.ZOS_JOB_SERVER ? openJobServer(cli.env.ZOS_JOB_SERVER) : undefined
  if (jobServer) store.expectsCompany = true
  const session: Session = {
    config,
    settings: { arch: config.arch, mode: config.mode, name: config.name, epoch: epochOf(cli.env, lock) },
    flags,
    store,
    digests,
    project: new Project(config.root, digests, store, cli.env),
    network,
    mirror: mirrorOf(cli, config, options, store, signal),
    report,
    signal,
    running: new Set(),
    env: cli.env,
    lock,
    tapables,
    limiter: jobServer ? createSharedLimiter(jobServer) : createLimiter(flags.jobs),
    jobServer,
    now: cli.now,
    codeOf: (id) => code.get(id) ?? '',
    optionsOf: (id) => options_.get(id) ?? null,
    steps: [],
    verification: new Verification(store, shareOf(options['verify-cache'])),
    fetched: new Map(),
    fetchedAnew: new Set(),
    unverified: new Set(),
    artifacts: new Map(),
    packages: new Map(),
    actions: new Map(),
    toolchains: new Map(),
  }
  return {
    session,
    saveLock: () => {
      if (flags.frozen) return
      if (Object.keys(config.overridden).length === 0) lock.prune()
      if (!lock.isChanged) return
      mkdirSync(dirname(config.lockFile), { recursive: true })
      const temporary = `${config.lockFile}.new`
      writeFileSync(temporary, lock.text)
      renameSync(temporary, config.lockFile)
    },
    close: async () => {
      stop.abort(new Error('the build has ended'))
      await Promise.allSettled(session.running)
      jobServer?.close()
      await network.close()
      session.mirror?.close()
      await untilSwept(store, report, cli.signal)
      store.close()
    },
  }
}
