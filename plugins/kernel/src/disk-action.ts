import { type Action, type Arch, type Blob, digestOf } from '@zos/core'

/** Where firmware looks on a disk that it has no entry for (UEFI specification, "Removable Media Boot Behavior"). */
const programPath: Readonly<Record<Arch, string>> = {
  x86_64: 'EFI/BOOT/BOOTX64.EFI',
  aarch64: 'EFI/BOOT/BOOTAA64.EFI',
}

export interface DiskInput {
  readonly arch: Arch
  readonly program: Blob
  /** MiB of the whole disk. */
  readonly size: number
  /** Seconds since 1970, for the times in the file system. */
  readonly epoch: number
}

/** A UUID (RFC 9562, version 8: own content) out of a digest, so that the same content has the same. */
const uuid = (digest: string): string =>
  [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `a${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-')

/** The partition begins and ends at a whole MiB; the last MiB holds the second partition table. */
export const diskAction = ({ arch, program, size, epoch }: DiskInput): Omit<Action, 'toolchain'> => {
  const digest = digestOf({ program: program.sha256, size })
  const partition = size - 2
  const table = [
    'label: gpt',
    `label-id: ${uuid(digest)}`,
    `start=1MiB, size=${partition}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=${uuid(digest.slice(32))}, name=esp`,
  ]
  const script = `
truncate -s ${partition}M esp.img
mkfs.fat --invariant -F 32 -s 1 -n ZOS -i ${digest.slice(0, 8)} esp.img
mmd -i esp.img ::/EFI ::/EFI/BOOT
touch -d @${epoch} program
mcopy -m -i esp.img program ::/${programPath[arch]}
truncate -s ${size}M disk.img
printf '%s\\n' ${table.map((line) => `'${line}'`).join(' ')} | sfdisk --quiet --no-reread --no-tell-kernel disk.img
dd if=esp.img of=disk.img bs=1M seek=1 conv=notrunc,sparse status=none
`
  return {
    name: 'disk',
    command: ['/bin/sh', '-euc', script],
    // FAT has local time; mtools writes that of folders by SOURCE_DATE_EPOCH.
    env: { LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1' },
    inputs: { program },
    outputs: ['disk.img'],
  }
}
