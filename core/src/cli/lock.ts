import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { closest } from '../config/closest.js'
import type { BuildFlags } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import { openMirrorTarget } from '../io/mirror-target.js'
import { entryNames, parseLock } from '../model/lock.js'
import { parseMirrorNote } from '../model/mirror.js'
import { fetch } from '../phases/fetch.js'
import { resolve } from '../phases/resolve.js'
import { reportsOf } from './build.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, mirrorNotePath, type OpenSession, openSession } from './session.js'

const moveLock = async (
  cli: Cli,
  { mirror, ...options }: OptionValues,
  update: BuildFlags['update'],
): Promise<number> => {
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
    const mirrored = mirror === undefined ? undefined : await fillMirror(cli, open, String(mirror))
    report.close()
    const file = relative(cli.cwd, config.lockFile)
    cli.out(
      options.json === true
        ? `${JSON.stringify({ lock: file, changed: isChanged, ...(mirrored && { mirror: mirrored }) })}\n`
        : `${file}: ${isChanged ? 'written' : 'was up to date'}\n${mirrored ? mirrorLine(mirrored) : ''}`,
    )
    return ExitCode.ok
  } finally {
    report.close()
    await open.close()
  }
}

/** What `--mirror` did, as `--json` shows it. */
interface MirrorDone {
  readonly target: string
  readonly note: string
  readonly inputs: number
  readonly sent: number
  readonly bytes: number
}

/** Copies every locked input, and notes beside the lock which index of the mirror counts. */
const fillMirror = async (cli: Cli, { session }: OpenSession, where: string): Promise<MirrorDone> => {
  const { mirrorInputs } = await import('../io/mirror-write.js')
  const target = await openMirrorTarget(where, cli.cwd, session.signal)
  try {
    const { index, inputs, sent, bytes } = await mirrorInputs(session, target)
    const path = mirrorNotePath(session.config)
    const note = relative(cli.cwd, path)
    const arch = existsSync(path) ? parseMirrorNote(readFileSync(path, 'utf8'), note).arch : {}
    const all = Object.entries({ ...arch, [session.config.arch]: { index, inputs } }).sort()
    writeFileSync(path, `${JSON.stringify({ version: 1, arch: Object.fromEntries(all) }, undefined, 2)}\n`)
    return { target: target.url(), note, inputs, sent, bytes }
  } finally {
    target.close()
  }
}

const mirrorLine = ({ target, note, inputs, sent, bytes }: MirrorDone): string =>
  `${target}: ${inputs} inputs, ${sent} new objects, ${(bytes / 1e6).toFixed(1)} MB\n${note}: says which index counts; commit it\n`

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
  options: {
    ...configOptions,
    mirror: { type: 'string', value: 'TARGET', help: 'copy every locked input to a folder or s3://… by digest' },
  },
  examples: [
    'zos lock',
    'zos lock -c variants/quickstart.config.ts',
    'zos lock --mirror /srv/zos-mirror',
    'zos lock --mirror "s3s://$KEY:$SECRET@s3.example.com:443/mirrors/zero-os"',
  ],
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
