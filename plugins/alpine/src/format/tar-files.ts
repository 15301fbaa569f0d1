import { ZosError } from '@zos/core'
import { readTar } from '@zos/core/format'

const limits = { entries: 256, fileBytes: 64 * 1024 ** 2, totalBytes: 96 * 1024 ** 2, headerBytes: 256 * 1024 }

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** The plain files of a small tar segment by name, in their order. A name that comes twice is `APK_FORMAT`. */
export const tarFiles = async (bytes: Uint8Array, name: string): Promise<Map<string, Uint8Array>> => {
  const files = new Map<string, Uint8Array>()
  for await (const { header, content } of readTar(once(bytes), { name, end: 'none', limits })) {
    if (!content) continue
    const path = header.path.replace(/^\.\//, '')
    if (files.has(path)) throw new ZosError('APK_FORMAT', `${name}: ${path} is there twice`)
    files.set(path, await content.bytes())
  }
  return files
}
