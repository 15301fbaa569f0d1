import { relative } from 'node:path'
import { closest } from '../config/closest.js'
import type { BuildFlags } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import { entryNames, parseLock } from '../model/lock.js'
import { fetch } from '../phases/fetch.js'
import { resolve } from '../phases/resolve.js'
import { reportsOf } from './build.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, openSession } from './session.js'

const moveLock = async (cli: Cli, options: OptionValues, update: BuildFlags['update']): Promise<number> => {
  const config = await configOf(cli, { ...options, frozen: false })
  const report = reportsOf(cli, options, [])
  const open = await openSession(cli, { ...config, mode: 'debug' }, options, report, update)
  try {
    await resolve(open.session)
    // Sources make further sources known, which are pinned too.
    await fetch(open.session)
    if (update instanceof Set) checkNames(open.session.lock.text, update)
    const isChanged = open.session.lock.isChanged
    open.saveLock()
    report.close()
    const file = relative(cli.cwd, config.lockFile)
    cli.out(
      options.json === true
        ? `${JSON.stringify({ lock: file, changed: isChanged })}\n`
        : `${file}: ${isChanged ? 'written' : 'was up to date'}\n`,
    )
    return ExitCode.ok
  } finally {
    report.close()
    await open.close()
  }
}

/** A name that no entry has is a mistake that would otherwise pass unseen. */
const checkNames = (text: string, names: ReadonlySet<string>): void => {
  const known = new Set<string>()
  for (const { pins } of Object.values(parseLock(text, 'lock').arch))
    for (const [plugin, entries] of Object.entries(pins))
      for (const entry of Object.keys(entries)) for (const name of entryNames(plugin, entry)) known.add(name)
  const unknown = [...names].filter((name) => !known.has(name))
  if (unknown.length === 0) return
  const near = unknown.flatMap((name) => closest(name, known, 1))
  throw new ZosError('LOCK_NAME', `the lock has no entry ${unknown.join(', ')}`, {
    hint: [
      ...(near.length > 0 ? [`did you mean: ${near.join(', ')}`] : []),
      `entries: ${
        [...known]
          .filter((name) => name.includes('/'))
          .sort()
          .join(', ') || 'none'
      }`,
    ],
    exit: ExitCode.usage,
  })
}

export const lockCommand: CliCommand = {
  name: 'lock',
  summary: 'Brings the lock up to date with the config; pins that still fit stay.',
  options: configOptions,
  examples: ['zos lock', 'zos lock -c variants/quickstart.config.ts'],
  run: (cli, _args, options) => moveLock(cli, options, undefined),
}

export const updateCommand: CliCommand = {
  name: 'update',
  summary: 'Moves pins: of all plugins, or of the plugins and entries that are named.',
  arguments: '[NAME…]',
  options: configOptions,
  examples: ['zos update', 'zos update debian', 'zos update rust-musl/zinit'],
  run: (cli, args, options) => moveLock(cli, options, args.length === 0 ? 'all' : new Set(args)),
}
