import { type Blob, type FileTree, type TapContext, ZosError } from '@zos/core'
import { decompress, decompressZstd, elfSection } from '@zos/core/format'
import { type Modinfo, parseModinfo } from './modinfo.js'
import { moduleIndex } from './module-index.js'
import { isModuleFile } from './module-name.js'

/** Largest module taken, in bytes after decompression; amdgpu with debug symbols has some 500 MB, without 30. */
const moduleLimit = 1024 * 1024 * 1024
/** Modules read at the same time. */
const atOnce = 8

/**
 * Reads every module of a kernel and gives the index as a JSON file; remembered by the folder's digest.
 * `folder` is rooted at `/lib/modules/RELEASE`.
 */
export const readModuleIndex = async (ctx: TapContext, release: string, folder: FileTree): Promise<Blob> => {
  const { files } = await ctx.remember('module-index-1', { release, modules: folder.digest }, async () => {
    const index = moduleIndex({
      version: release,
      modinfo: await readAllModinfo(ctx, folder),
      builtin: new TextDecoder().decode(await listOf(ctx, folder, 'modules.builtin')),
      builtinModinfo: await listOf(ctx, folder, 'modules.builtin.modinfo'),
    })
    return { files: { index: await ctx.blobs.put(JSON.stringify(index)) } }
  })
  return files!.index!
}

const listOf = async (ctx: TapContext, folder: FileTree, name: string): Promise<Uint8Array> => {
  const entry = folder.get(`/${name}`)
  return entry?.kind === 'file' ? ctx.blobs.read(entry.blob) : new Uint8Array()
}

const readAllModinfo = async (ctx: TapContext, folder: FileTree): Promise<Map<string, Modinfo>> => {
  const modules = [...folder.records()].flatMap((record) =>
    record.kind === 'file' && isModuleFile(record.path) ? [{ path: record.path.slice(1), blob: record.blob }] : [],
  )
  const found = new Array<readonly [string, Modinfo]>(modules.length)
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < modules.length; at = next++) {
      const { path, blob } = modules[at]!
      if (at % 100 === 0) ctx.progress('reading modules', at, modules.length)
      found[at] = [path, await modinfoOf(path, ctx.blobs.stream(blob))]
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return new Map(found)
}

const modinfoOf = async (path: string, chunks: AsyncIterable<Uint8Array>): Promise<Modinfo> => {
  const elf = await joined(unpacked(path, chunks))
  const section = elfSection(elf, '.modinfo')
  if (section === undefined)
    throw new ZosError('KERNEL_MODULE_TREE', `${path} has no section .modinfo: not a kernel module`)
  return parseModinfo(section.bytes)
}

const unpacked = (path: string, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> => {
  const limits = { name: path, outputBytes: moduleLimit }
  if (path.endsWith('.zst')) return decompressZstd(chunks, limits)
  return decompress(chunks, path.endsWith('.xz') ? 'xz' : path.endsWith('.gz') ? 'gz' : 'none', limits)
}

const joined = async (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}
