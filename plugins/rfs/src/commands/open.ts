// What the commands have in common: their flist, its stores, and how they say how far they are.
import { resolve } from 'node:path'
import { type CommandContext, type CommandOption, ExitCode, ZosError } from '@zos/core'
import { locationsOf, type OpenStore, type RoutedLocation } from '../block-store.js'
import type { Flist, Route } from '../flist.js'
import { flistLimit, readFlist } from '../flist-read.js'
import { parseRoute } from '../route.js'

export const jsonOption: CommandOption = { type: 'boolean', help: 'one JSON object a line' }

export const storeOption: CommandOption = {
  type: 'string',
  short: 's',
  multiple: true,
  value: '[xx-xx=]URL',
  help: 'read blocks here instead of where the flist says (-s)',
}

export const usage = (message: string, command: string): ZosError =>
  new ZosError('CLI_USAGE', message, { hint: `zos flist ${command} --help`, exit: ExitCode.usage })

/** An absolute path of what the command line names. */
export const pathOf = (ctx: CommandContext, path: string): string => resolve(ctx.outputFolder, path)

export const list = (value: CommandContext['options'][string]): readonly string[] =>
  Array.isArray(value) ? (value as readonly string[]) : value === undefined ? [] : [String(value)]

/** Reads the flist that the command line names. */
export const loadFlist = async (ctx: CommandContext, file: string): Promise<Flist> => {
  const bytes = await ctx.files.bytes(pathOf(ctx, file), flistLimit)
  if (bytes) return readFlist(bytes, file)
  throw new ZosError('FILE_MISSING', `${file}: no such file`, { exit: ExitCode.usage })
}

/** A relative path behind `dir://` counts from the working folder, as people write it. */
const absolute = (ctx: CommandContext, route: Route): Route => {
  const path = /^dir:\/\/(?!\/)(.+)$/.exec(route.url)?.[1]
  return path === undefined ? route : { ...route, url: `dir://${pathOf(ctx, path)}` }
}

export const routesOf = (ctx: CommandContext, texts: readonly string[]): Route[] =>
  texts.map((text) => absolute(ctx, parseRoute(text)))

/** Where blocks are read: the stores that the command line names, else the flist's own routes. */
export const readLocations = (ctx: CommandContext, flist: Flist, file: string): readonly RoutedLocation[] => {
  const named = routesOf(ctx, list(ctx.options.store))
  if (named.length > 0) return locationsOf(named)
  if (flist.routes.length > 0) return locationsOf(flist.routes)
  throw new ZosError('FLIST_ROUTE', `${file} names no store`, {
    hint: 'name one: --store URL, or put it into the flist: zos flist stores FILE --set URL',
    exit: ExitCode.usage,
  })
}

export const openStore =
  (ctx: CommandContext): OpenStore =>
  (location) =>
    ctx.objects(location)

/** Lines that replace each other on a terminal, and nothing elsewhere. */
export const progressLine = (ctx: CommandContext): { say(text: () => string): void; clear(): void } => {
  let last = 0
  let isShown = false
  return {
    say: (text) => {
      if (!ctx.isTerminal || ctx.json || performance.now() - last < 100) return
      last = performance.now()
      isShown = true
      ctx.err(`\r\x1b[K${text()}`)
    },
    clear: () => {
      if (isShown) ctx.err('\r\x1b[K')
      isShown = false
    },
  }
}
