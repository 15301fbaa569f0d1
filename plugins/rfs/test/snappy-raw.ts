/** Unpacks Snappy's raw format, written from its description: to judge what an encoder made. */
export const unpackSnappy = (bytes: Uint8Array): Uint8Array => {
  let at = 0
  const byte = (): number => {
    const value = bytes[at++]
    if (value === undefined) throw new Error('snappy: ends too early')
    return value
  }
  let size = 0
  for (let shift = 0, more = true; more; shift += 7) {
    const next = byte()
    size += (next & 0x7f) * 2 ** shift
    more = next >= 0x80
  }
  const little = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++) value += byte() * 256 ** i
    return value
  }
  const out: number[] = []
  while (at < bytes.length) {
    const tag = byte()
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const length = (short < 60 ? short : little(short - 59)) + 1
      for (let i = 0; i < length; i++) out.push(byte())
      continue
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const offset = kind === 1 ? (tag >> 5) * 256 + byte() : little(kind === 2 ? 2 : 4)
    if (offset < 1 || offset > out.length) throw new Error(`snappy: offset ${offset}`)
    for (let i = 0; i < length; i++) out.push(out[out.length - offset]!)
  }
  if (out.length !== size) throw new Error(`snappy: ${out.length} bytes, expected ${size}`)
  return Uint8Array.from(out)
}
