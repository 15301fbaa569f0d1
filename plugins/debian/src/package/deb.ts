import { ZosError } from '@zos/core'

export type DebCompression = 'gz' | 'xz' | 'zst' | 'none'

/** A tar archive inside a package, still compressed. */
export interface DebMember {
  readonly compression: DebCompression
  readonly bytes: Uint8Array
}

/** The two archives of a binary package (deb(5)). */
export interface Deb {
  readonly control: DebMember
  readonly data: DebMember
}

const magic = '!<arch>\n'
const headerSize = 60

const compressions: Readonly<Record<string, DebCompression>> = { '': 'none', '.gz': 'gz', '.xz': 'xz', '.zst': 'zst' }

interface ArMember {
  readonly name: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** The members of an `ar` archive without its extensions for long names, which packages do not use. */
function* readAr(bytes: Uint8Array, wrong: (offset: number, what: string) => ZosError): Iterable<ArMember> {
  if (latin1(bytes, 0, magic.length) !== magic) throw wrong(0, "it does not begin with '!<arch>'")
  let offset = magic.length
  while (offset < bytes.length) {
    if (offset + headerSize > bytes.length) throw wrong(offset, 'the file ends inside a member header')
    if (latin1(bytes, offset + 58, offset + 60) !== '`\n') throw wrong(offset, 'the member header has no end mark')
    const name = latin1(bytes, offset, offset + 16)
      .trimEnd()
      .replace(/\/$/, '')
    if (!/^[A-Za-z0-9_.+-]+$/.test(name)) throw wrong(offset, `'${name}' is no member name`)
    const digits = latin1(bytes, offset + 48, offset + 58).trimEnd()
    if (!/^[0-9]+$/.test(digits)) throw wrong(offset, `the size '${digits}' of ${name} is no number`)
    const start = offset + headerSize
    const end = start + Number(digits)
    if (end > bytes.length) throw wrong(offset, `${name} says it has ${digits} bytes, ${bytes.length - start} are left`)
    yield { name, offset, bytes: bytes.subarray(start, end) }
    offset = end
    if (end % 2 === 1 && end < bytes.length) {
      if (bytes[end] !== 10) throw wrong(end, `the byte after ${name} is no padding`)
      offset++
    }
  }
}

/**
 * Takes a package apart: `debian-binary`, `control.tar`, `data.tar`, in this order (deb(5)).
 * Throws `DEBIAN_DEB` naming the file and the offset.
 */
export const readDeb = (bytes: Uint8Array, file: string): Deb => {
  const wrong = (offset: number, what: string) => new ZosError('DEBIAN_DEB', `${file}, byte ${offset}: ${what}`)
  const found: ArMember[] = []
  for (const member of readAr(bytes, wrong)) {
    // deb(5) leaves names with an underscore for others to use, between the members that it names.
    if (member.name.startsWith('_') && found.length > 0) continue
    found.push(member)
    if (found.length > 3) throw wrong(member.offset, `${member.name} follows data.tar, which has to be the last member`)
  }
  const [binary, control, data] = found
  if (binary?.name !== 'debian-binary')
    throw wrong(8, `expected debian-binary first, found ${binary?.name ?? 'nothing'}`)
  const version = latin1(binary.bytes, 0, Math.min(binary.bytes.length, 100))
  if (!/^2\.[0-9]+\n/.test(version)) throw wrong(binary.offset, `expected format 2.0, found '${version.trimEnd()}'`)
  const member = (name: 'control.tar' | 'data.tar', part: ArMember | undefined): DebMember => {
    if (!part?.name.startsWith(name))
      throw wrong(part?.offset ?? bytes.length, `expected ${name}, found ${part?.name ?? 'nothing'}`)
    const compression = compressions[part.name.slice(name.length)]
    if (compression === undefined)
      throw wrong(part.offset, `${part.name} is compressed in a way that is not supported; xz, zst and gz are`)
    return { compression, bytes: part.bytes }
  }
  return { control: member('control.tar', control), data: member('data.tar', data) }
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, Math.min(to, bytes.length) - from)).toString('latin1')
