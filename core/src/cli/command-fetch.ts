// The network and a store for commands of plugins, without a build.
import type { FetchContext } from '../context.js'
import type { FetchSession } from '../engine/session.js'
import { Verification } from '../engine/verify.js'
import { ZosError } from '../error.js'
import { createNetwork, fetchContext } from '../io/network.js'
import { FileDigests, Project } from '../io/project.js'
import { plainReport } from '../report/plain.js'
import { Store } from '../store/store.js'
import type { Cli } from './command.js'
import { commandStoreFolder } from './command-memory.js'

/** Runs something as fetchers run; `root` is the project, or the folder that stands for it. */
export const withFetching = async <T>(
  cli: Cli,
  root: string,
  settings: FetchSession['settings'],
  command: string,
  run: (ctx: FetchContext) => Promise<T>,
): Promise<T> => {
  const store = Store.open(commandStoreFolder(cli), cli.now)
  const network = createNetwork(store, cli.env)
  const digests = new FileDigests(store, cli.now)
  const plain = plainReport({ write: (line) => cli.err(`${line}\n`), cwd: cli.cwd, now: cli.now, verbose: false })
  // What a command prints is for pipes; it has no steps to tell of.
  const report = { ...plain, progress: () => undefined }
  const session: FetchSession = {
    settings,
    flags: {
      offline: false,
      frozen: false,
      jobs: 1,
      force: () => false,
      forget: false,
      executor: 'bubblewrap',
      isExecutorAsked: false,
      cacheDownloads: true,
      verifyChecksums: true,
      update: undefined,
    },
    store,
    digests,
    project: new Project(root, digests, store, cli.env),
    network,
    mirror: undefined,
    report,
    signal: cli.signal,
    env: cli.env,
    now: cli.now,
    verification: new Verification(store, 0),
    fetchedAnew: new Set(),
    unverified: new Set(),
  }
  const ctx = fetchContext(session, command, command, () => {
    throw new ZosError('COMMAND_FETCH', `zos ${command} fetches no sources of a config`)
  })
  try {
    return await run(ctx)
  } finally {
    await ctx.dispose()
    await network.close()
    store.close()
  }
}
