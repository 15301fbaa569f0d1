import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { runBuild } from '../build.js'
import type { Config } from '../config/load.js'
import { booleanOf } from '../config/overrides.js'
import { isUploadAsked } from '../config/upload.js'
import { keepBuild } from '../diff/keep-build.js'
import type { BuildFlags } from '../engine/session.js'
import type { KeptContainer } from '../exec/kept-container.js'
import { folderError, readManifest, removeOutputs } from '../io/output-folder.js'
import type { Manifest } from '../model/manifest.js'
import { errorLines } from '../report/error.js'
import { jsonReport } from '../report/json.js'
import { liveReport } from '../report/live.js'
import { plainReport } from '../report/plain.js'
import { type Report, reportAll } from '../report/report.js'
import { traceReport } from '../report/trace.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { checkForced } from './force.js'
import { forgetFresh, freshWords, noteFresh } from './fresh-note.js'
import { configOf, openSession, shareOf, storeFolder } from './session.js'
import { buildElsewhere, isElsewhere } from './verify.js'

/** What the user sees, and the lines of build.log beside it. */
export const reportsOf = (cli: Cli, options: OptionValues, log: string[]): Report => {
  const debug = cli.env.DEBUG ? booleanOf('DEBUG', cli.env.DEBUG) : false
  const file = plainReport({ write: (line) => log.push(line), cwd: cli.cwd, now: cli.now, verbose: true })
  const trace = options.trace === undefined ? [] : [traceReport(resolve(cli.cwd, String(options.trace)))]
  if (options.json === true) return reportAll([jsonReport((line) => cli.out(`${line}\n`)), file, ...trace])
  if (!cli.isTerminal || debug)
    return reportAll([
      plainReport({ write: (line) => cli.out(`${line}\n`), cwd: cli.cwd, now: cli.now, verbose: debug }),
      file,
      ...trace,
    ])
  const terminal = {
    write: (text: string) => cli.out(text),
    columns: () => process.stdout.columns || 80,
    color: !cli.env.NO_COLOR,
  }
  return reportAll([liveReport(terminal, cli.cwd, cli.now), file, ...trace])
}

const saveLog = ({ outputFolder }: Config, log: readonly string[]): void => {
  try {
    mkdirSync(outputFolder, { recursive: true })
    writeFileSync(join(outputFolder, 'build.log'), `${log.join('\n')}\n`)
  } catch (cause) {
    throw folderError(outputFolder, cause)
  }
}

/** A log that cannot be written does not hide why the build failed. */
const closeLog = (config: Config, log: readonly string[], failure: unknown): void => {
  try {
    saveLog(config, log)
  } catch (error) {
    if (failure === undefined) throw error
  }
}

/** Builds a config that is loaded already; everything that a build leaves is in place when it returns. */
export const buildConfig = async (
  cli: Cli,
  config: Config,
  options: OptionValues,
  outputs: readonly string[],
  update?: BuildFlags['update'],
  fresh?: string,
  container?: KeptContainer,
): Promise<Manifest> => {
  const log: string[] = []
  const report = reportsOf(cli, options, log)
  const before = readManifest(config.outputFolder)
  const open = await openSession(cli, config, options, report, update, container)
  const { session } = open
  const name = relative(cli.cwd, config.file)
  report.start({
    name: config.name,
    file: name,
    mode: config.mode,
    arch: config.arch,
    lock: session.lock.isNew ? 'lock is made' : 'lock ok',
  })
  let failure: unknown
  try {
    const { manifest, tree, receipts } = await runBuild(session, {
      outputs,
      publish: options.publish === true ? 'asked' : isUploadAsked(cli.env) ? 'switched' : 'no',
      onPinned: open.saveLock,
    })
    checkForced(options, cli.env, session.steps)
    session.verification.conclude()
    open.saveLock()
    // Since the process started: what people wait for.
    const ms = performance.now()
    report.finish({
      manifest,
      before: Object.fromEntries(
        (before?.outputs ?? []).map(({ name: output, size, sha256 }) => [output, { size, sha256 }]),
      ),
      folder: config.outputFolder,
      steps: session.steps,
      receipts,
      ms,
      ...(session.verification.isOn && { verified: session.verification.counts }),
    })
    await session.store.addHistory(`${config.name}/${config.arch}`, ms, true, session.steps)
    await keepBuild(session, manifest, tree)
    if (fresh !== undefined && session.steps.length > 0) noteFresh(cli, session, fresh, manifest)
    return manifest
  } catch (error) {
    failure = error
    if (fresh !== undefined) forgetFresh(cli, session, fresh)
    log.push(...errorLines(error))
    await session.store.addHistory(`${config.name}/${config.arch}`, performance.now(), false, session.steps)
    throw error
  } finally {
    try {
      await open.close()
    } finally {
      report.close()
    }
    closeLog(config, log, failure)
  }
}

/** Options that say how steps run, wherever they do. */
const runOptions: CliCommand['options'] = {
  offline: { type: 'boolean', help: 'use what is in the store, never the network' },
  frozen: { type: 'boolean', help: 'take the lock as it is, or fail' },
  jobs: { type: 'number', value: 'N', help: 'how much runs at once (-j); else the number of CPUs' },
  executor: { type: 'string', value: 'NAME', help: 'bubblewrap (default), podman, docker, or host: no sandbox' },
  mirror: { type: 'string', value: 'TARGET', help: 'take locked inputs from this mirror first; else ZOS_MIRROR' },
}

/** Options of commands that build, and do something more. */
export const buildOptions: CliCommand['options'] = { ...configOptions, ...runOptions }

export const buildCommand: CliCommand = {
  name: 'build',
  summary: 'Builds the image: all outputs, or those that are named; with config files, each of them.',
  arguments: '[CONFIG…] [OUTPUT…]',
  options: {
    ...configOptions,
    'rebuild-from': { type: 'string', value: 'STEP', help: 'run this step, phase or classic stage and all after it' },
    'force-rebuild': { type: 'boolean', help: 'run every step, take nothing from the store' },
    clean: { type: 'boolean', help: 'remove outputs and store first' },
    ...runOptions,
    publish: { type: 'boolean', help: 'publish afterwards' },
    trace: { type: 'string', value: 'FILE', help: 'write where the time goes, for chrome://tracing or Perfetto' },
    'verify-cache': {
      type: 'string',
      value: 'N%',
      bare: '100%',
      help: 'make again what is in the store, elsewhere, and compare',
    },
  },
  examples: [
    'zos build',
    'zos build -c variants/quickstart.config.ts',
    'zos build variants/*.config.ts --jobs 8',
    'zos build initramfs.cpio.xz --rebuild-from=zinit/units',
    'zos build --frozen --offline',
    'zos build --verify-cache=10%',
    'zos build --frozen --offline --mirror /srv/zos-mirror',
  ],
  run: async (cli, args, options) => {
    const { buildMany, configFilesIn } = await import('./build-many.js')
    if (configFilesIn(args).length > 0) return buildMany(cli, args, options)
    if (shareOf(options['verify-cache']) > 0 && !isElsewhere(cli.env)) return buildElsewhere(cli)
    const config = await configOf(cli, options)
    const words = freshWords(cli.words, options)
    if (options.clean === true) {
      removeOutputs(config.outputFolder)
      await rm(storeFolder(cli, config), { recursive: true, force: true })
    }
    await buildConfig(cli, config, options, args, undefined, words)
    return 0
  },
}
