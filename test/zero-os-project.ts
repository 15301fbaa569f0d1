// A copy of the project whose flagship config finds its upstreams on this machine: servers and addresses are other ones, and
// nothing else is. Stand-ins, which say so on the console: rfs, mycelium, corex.
import { createHash } from 'node:crypto'
import {
  cpSync,
  createReadStream,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { BlobFiles } from '../core/dist/store/blob-files.js'
import { makeRepository, type Repository } from './alpine-mirror/repository.js'
import { makeUpstreams } from './upstreams.js'
import { project, storeOf } from './zos.js'

export interface ZeroOsProject {
  readonly folder: string
  /** The config to build: a variant of `zos.config.ts` that names other servers. */
  readonly config: string
  /** Ends the servers. */
  close(): void
}

/** A release of kernel.org that this machine serves. */
export interface LocalKernel {
  readonly version: string
  /** Path of its `.tar.xz`. */
  readonly archive: string
}

/** Serves files below folders by the first part of the path. */
const serve = async (roots: Readonly<Record<string, string>>): Promise<{ url: string; server: Server }> => {
  const server = createServer((request, response) => {
    const [, first = '', ...rest] = decodeURIComponent(request.url ?? '').split('/')
    const path = join(roots[first] ?? '/nowhere', ...rest)
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': statSync(path).size })
    createReadStream(path).pipe(response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

/** The folder of a release as kernel.org has it: the archive, and the list of sums. */
const layKernel = (folder: string, { version, archive }: LocalKernel): void => {
  const place = join(folder, `linux/kernel/v${version.split('.')[0]}.x`)
  const name = `linux-${version}.tar.xz`
  mkdirSync(place, { recursive: true })
  symlinkSync(archive, join(place, name))
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex')
  writeFileSync(join(place, 'sha256sums.asc'), `${sha256}  ${name}\n`)
}

/** Cargo's release profile, made for a short compile. */
const unoptimized = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
}

export interface ZeroOsOptions {
  /** The config that is built: `zos.config.ts` unless told. */
  readonly base?: string
  /** `zos.config.ts` itself names the other servers, and with it the project's own variants, in place of a further one. */
  readonly isWhole?: boolean
  readonly kernel?: LocalKernel
  /** Whether cargo leaves out optimizing zinit, which takes most of a first build's time. */
  readonly isQuick?: boolean
  /** The mirror; one of Debian's packages in Alpine's format unless told. */
  readonly repository?: Repository
}

const debianRepository = (blobs: string): Promise<Repository> => {
  mkdirSync(join(blobs, 'in'), { recursive: true })
  return makeRepository(join(storeOf(project), 'test-mirror'), new BlobFiles(blobs, join(blobs, 'in')))
}

/** Makes the copy below an empty folder; its store is that of the checkout, so that what others compiled counts. */
export const makeZeroOsProject = async (
  folder: string,
  { base = 'zos.config.ts', isWhole = false, isQuick = false, kernel, ...options }: ZeroOsOptions = {},
): Promise<ZeroOsProject> => {
  const copy = join(folder, 'project')
  const repository = options.repository ?? (await debianRepository(join(folder, 'blobs')))
  const upstream = join(folder, 'upstream')
  const upstreams = makeUpstreams(upstream, join(project, 'config/quickstart/zinit-pid1.patch'))
  if (kernel) layKernel(join(folder, 'kernel'), kernel)
  mkdirSync(copy)
  for (const path of ['package.json', 'zos.config.ts', 'config', 'variants', 'plugins/zosstorage/crate'])
    cpSync(join(project, path), join(copy, path), { recursive: true, filter: (from) => !from.includes('/target') })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  mkdirSync(storeOf(project), { recursive: true })
  symlinkSync(storeOf(project), join(copy, '.zos'))
  mkdirSync(join(copy, 'keys'))
  writeFileSync(join(copy, 'keys', repository.key.name), repository.key.pem)
  const { url, server } = await serve({ alpine: repository.folder, upstream, kernel: join(folder, 'kernel') })
  const plugins = {
    alpine: { mirrors: [`${url}/alpine`], keys: 'keys' },
    ...(kernel && { kernel: { source: { mirrors: [`${url}/kernel`] } } }),
    'rust-musl': {
      zinit: { url: upstreams.zinit, ...(isQuick && { env: unoptimized }) },
      rfs: { url: upstreams.rfs, files: { 'swagger-ui.zip': { url: `${url}/upstream/swagger-ui.zip` } } },
      mycelium: { url: upstreams.mycelium },
      corex: { url: `${url}/upstream/corex.static` },
    },
  }
  const config = isWhole ? 'zos.config.ts' : 'variants/test.config.ts'
  if (isWhole) renameSync(join(copy, base), join(copy, 'upstream.config.ts'))
  const [from, name] = isWhole ? ['./upstream.config.ts', 'zero-os'] : [`../${base}`, 'zero-os-test']
  writeFileSync(
    join(copy, config),
    `import zeroOs from '${from}'\nexport default zeroOs.variant({ name: '${name}', plugins: ${JSON.stringify(plugins)} as never })\n`,
  )
  return { folder: copy, config, close: () => server.close() }
}
