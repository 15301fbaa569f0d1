// What the resolve phase declares for each component: sources, and what is built from them.
import { ExitCode, http, type Json, type Plan, path as projectPath, ref, sha256, ZosError } from '@zos/core'
import { sysrootName, toolchainName } from './build-sysroot.js'
import { crateSource } from './crate-source.js'
import type { CratesSource } from './crates-source.js'
import { gitCrateSource } from './git-source.js'
import type { CargoComponent, PathComponent, RustMuslOptions } from './options.js'
import { rustTarget } from './target.js'
import { toolchainSource } from './toolchain-source.js'

const normal = (folder: string): string =>
  folder
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')

const join = (...folders: readonly string[]): string => normal(folders.join('/'))

/** The target is that of the image's machine; a RUST_TARGET that says otherwise is an error, not a mixture. */
const checkTarget = (plan: Plan): void => {
  const asked = plan.project.env('RUST_TARGET')
  const target = rustTarget(plan.arch)
  if (asked === undefined || asked === '' || asked === target) return
  throw new ZosError('RUST_TARGET', `RUST_TARGET is ${asked}, the image is for ${plan.arch}: expected ${target}`, {
    hint: 'TARGETARCH=amd64 or arm64 chooses the machine of the image',
    exit: ExitCode.config,
  })
}

/** The Cargo.lock of a crate of the project decides which crates are fetched. */
const projectCrates = async (plan: Plan, name: string, { path, subdir = '' }: PathComponent): Promise<CratesSource> => {
  const [root, folder] = [normal(path), normal(subdir)]
  const manifest = join(root, folder, 'Cargo.toml')
  if ((await plan.project.glob(manifest)).length === 0) {
    throw new ZosError('RUST_MANIFEST', `the project has no ${manifest}`, {
      hint: 'path names the folder of the crate, or of its workspace with subdir for the crate',
      exit: ExitCode.config,
      subject: name,
    })
  }
  const parts = folder === '' ? [] : folder.split('/')
  const candidates = [
    ...parts.map((_, index) => join(...parts.slice(0, parts.length - index), 'Cargo.lock')),
    'Cargo.lock',
  ]
  for (const lock of candidates) {
    const file = join(root, lock)
    if ((await plan.project.glob(file)).length === 0) continue
    const of = { in: 'project', folder: root } as const
    return { kind: 'cargo-vendor', of, folder, lock, sha256: sha256(await plan.project.text(file)) }
  }
  throw new ZosError('RUST_LOCK', `${join(root, folder)} has no Cargo.lock`, {
    hint: `cargo generate-lockfile --manifest-path ${manifest}, and keep it with the sources`,
    exit: ExitCode.config,
    subject: name,
  })
}

const declareSources = async (plan: Plan, name: string, component: CargoComponent): Promise<string> => {
  for (const [file, { url, sha256: digest }] of Object.entries(component.files ?? {})) {
    plan.source(`${name}/files/${file}`, http(url, digest === undefined ? {} : { sha256: digest }))
  }
  if (component.from === 'crate') {
    plan.source(name, crateSource(component.crate, component.version))
    return ''
  }
  const folder = normal(component.subdir ?? '')
  if (component.from === 'git') {
    plan.source(name, gitCrateSource(component.url, component.ref, folder))
    return folder
  }
  plan.source(name, projectPath(normal(component.path)))
  plan.source(`${name}/crates`, await projectCrates(plan, name, component))
  return folder
}

/** Sources that a fetch makes known are named too: what a component may ask for is said up front. */
const sourceNames = (name: string, { files = {} }: CargoComponent): readonly string[] => [
  name,
  `${name}/crates`,
  ...Object.keys(files).map((file) => `${name}/files/${file}`),
  toolchainName,
]

export const declareComponents = async (plan: Plan, id: string, options: RustMuslOptions): Promise<void> => {
  checkTarget(plan)
  const components = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))
  if (components.some(([, { from }]) => from !== 'release')) {
    plan.source(toolchainName, toolchainSource(rustTarget(plan.arch)))
    plan.component({ name: sysrootName, kind: 'rust-sysroot', options: {}, sources: [toolchainName] })
  }
  for (const [name, component] of components) {
    if (component.from === 'release') {
      const { url, sha256: digest } = component
      plan.source(name, http(url, digest === undefined ? {} : { sha256: digest }))
      plan.component({ name, kind: 'rust-release', options: component as unknown as Json, sources: [name] })
      continue
    }
    const folder = await declareSources(plan, name, component)
    plan.component({
      name,
      kind: 'rust',
      options: { ...component, folder } as unknown as Json,
      needs: [ref(id, sysrootName, 'sysroot')],
      sources: sourceNames(name, component),
    })
  }
}
