import { type Blob, sha256, type TreeRecord } from '@zos/core'
import { writeCpio } from '@zos/core/format'

/** What the probe guest prints once its first process runs. */
export const probeText = 'zos: probe guest in userspace'

const base = 0x400000
const headers = 64 + 56

/** `mov eax, number` and its like: an opcode and 32 bits. */
const immediate = (opcode: number, value: number): number[] => [
  opcode,
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
]

const [toEax, toEdx, toEsi, toEdi] = [0xb8, 0xba, 0xbe, 0xbf]
const syscall = [0x0f, 0x05]

/** A static program for x86-64 Linux that writes `probeText` to its standard output and powers the machine off. */
export const probeProgram = (): Uint8Array => {
  const text = Buffer.from(`${probeText}\n`)
  const before = [...immediate(toEax, 1), ...immediate(toEdi, 1), ...immediate(toEdx, text.length)]
  const after = [
    ...syscall,
    // reboot(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF), then a jump to itself
    ...[...immediate(toEax, 169), ...immediate(toEdi, 0xfee1dead), ...immediate(toEsi, 0x28121969)],
    ...[...immediate(toEdx, 0x4321fedc), ...syscall, 0xeb, 0xfe],
  ]
  const textAt = base + headers + before.length + 5 + after.length
  const code = Buffer.from([...before, ...immediate(toEsi, textAt), ...after])
  const size = BigInt(headers + code.length + text.length)
  const head = Buffer.alloc(headers)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(2, 16) // an executable
  head.writeUInt16LE(62, 18) // x86-64
  head.writeUInt32LE(1, 20)
  head.writeBigUInt64LE(BigInt(base + headers), 24) // entry
  head.writeBigUInt64LE(64n, 32) // program headers
  head.writeUInt16LE(64, 52)
  head.writeUInt16LE(56, 54)
  head.writeUInt16LE(1, 56)
  head.writeUInt32LE(1, 64) // PT_LOAD, read and execute
  head.writeUInt32LE(5, 68)
  head.writeBigUInt64LE(BigInt(base), 80)
  head.writeBigUInt64LE(BigInt(base), 88)
  head.writeBigUInt64LE(size, 96)
  head.writeBigUInt64LE(size, 104)
  head.writeBigUInt64LE(0x1000n, 112)
  return Buffer.concat([head, code, text])
}

/** An initramfs, uncompressed, with nothing but the probe program as `/init`. */
export const probeInitramfs = async (): Promise<Uint8Array> => {
  const program = probeProgram()
  const blob: Blob = { sha256: sha256(program), size: program.length }
  const init: TreeRecord = { path: '/init', kind: 'file', mode: 0o755, uid: 0, gid: 0, blob }
  const stream = async function* () {
    yield program
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of writeCpio([init], { read: async () => program, stream }, { epoch: 0 })) chunks.push(chunk)
  return Buffer.concat(chunks)
}
