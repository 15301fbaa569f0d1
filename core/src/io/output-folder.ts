// The output folder: files are replaced by rename, the manifest last, so that a manifest always tells the truth.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isZosError, ZosError } from '../error.js'
import type { Manifest } from '../model/manifest.js'
import type { BlobFiles } from '../store/blob-files.js'

const manifestName = 'manifest.json'

export const readManifest = (folder: string): Manifest | undefined => {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest
    return manifest.version === 1 && Array.isArray(manifest.outputs) && namesOf(manifest).every(isInside)
      ? manifest
      : undefined
  } catch {
    return undefined
  }
}

/** A manifest may have been edited; nothing outside of its folder is touched for its sake. */
const isInside = (name: unknown): boolean =>
  typeof name === 'string' && !name.startsWith('/') && !name.split('/').includes('..')

/** Whether the folder holds exactly what the manifest says, by size. */
const isComplete = (folder: string, manifest: Manifest): boolean =>
  manifest.outputs.every(({ name, aliases, size }) =>
    [name, ...aliases].every((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size === size),
  )

const temporaryName = (file: string): string => join(dirname(file), `.${basename(file)}.new`)

const namesOf = (manifest: Manifest | undefined): string[] =>
  manifest?.outputs.flatMap(({ name, aliases }) => [name, ...aliases]) ?? []

/**
 * Writes the outputs of a build into a folder: new files under temporary names, the old manifest away, every file in by
 * rename, the new manifest. Files of the last build that are no longer outputs go; everything else stays.
 */
export const writeOutputs = async (folder: string, manifest: Manifest, blobs: BlobFiles): Promise<void> => {
  try {
    await replaceOutputs(folder, manifest, blobs)
  } catch (cause) {
    throw folderError(folder, cause)
  }
}

/** What the system says of the output folder, as an error that names it. */
export const folderError = (folder: string, cause: unknown): unknown => {
  if (isZosError(cause) || !(cause instanceof Error && 'syscall' in cause)) return cause
  return new ZosError('OUTPUT_FOLDER', `outputs cannot be written to ${folder}: ${cause.message}`, {
    hint: 'make room there, and make sure that the folder may be written',
    cause,
  })
}

const replaceOutputs = async (folder: string, manifest: Manifest, blobs: BlobFiles): Promise<void> => {
  const before = readManifest(folder)
  if (before && JSON.stringify(before) === JSON.stringify(manifest) && isComplete(folder, manifest)) return
  mkdirSync(folder, { recursive: true })
  const unchanged = new Set(
    (before ? manifest.outputs : [])
      .filter((output) => {
        const old = before?.outputs.find(({ name }) => name === output.name)
        return old?.sha256 === output.sha256 && isComplete(folder, { ...manifest, outputs: [output] })
      })
      .map(({ name }) => name),
  )
  const renames: [string, string][] = []
  for (const { name, aliases, sha256, size } of manifest.outputs) {
    if (unchanged.has(name)) continue
    for (const file of [name, ...aliases]) {
      const temporary = join(folder, temporaryName(file))
      await blobs.copyTo({ sha256, size }, temporary, 0o644)
      renames.push([temporary, join(folder, file)])
    }
  }
  rmSync(join(folder, manifestName), { force: true })
  for (const [from, to] of renames) renameSync(from, to)
  const names = new Set(namesOf(manifest))
  for (const file of namesOf(before)) if (!names.has(file)) rmSync(join(folder, file), { force: true })
  const temporary = join(folder, temporaryName(manifestName))
  await writeFile(temporary, `${JSON.stringify(manifest, undefined, 2)}\n`)
  renameSync(temporary, join(folder, manifestName))
}

/** Removes what builds left in the folder: outputs, manifest and log, and folders in which nothing else is. */
export const removeOutputs = (folder: string): void => {
  const names = [...namesOf(readManifest(folder)), manifestName, 'build.log']
  for (const file of names) {
    rmSync(join(folder, file), { force: true })
    rmSync(join(folder, temporaryName(file)), { force: true })
  }
  const folders = new Set(names.flatMap((file) => (file.includes('/') ? [dirname(file)] : [])))
  for (const inner of [...[...folders].sort().reverse(), '.']) removeEmpty(join(folder, inner))
}

const removeEmpty = (folder: string): void => {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}
