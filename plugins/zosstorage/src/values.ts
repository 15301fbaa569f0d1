// Values as the program reads them: crate/src/config/{size,check}.rs say the same.
const units: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }
const form = /^(\d{1,20})(|KiB|MiB|GiB|TiB)$/

/** A whole number of bytes, or digits with a unit; up to 2^53. */
export const isSize = (value: number | string): boolean =>
  typeof value === 'number'
    ? Number.isSafeInteger(value) && value >= 0
    : form.test(value) && Number.isSafeInteger(sizeInBytes(value))

export const sizeInBytes = (value: number | string): number => {
  if (typeof value === 'number') return value
  const [, digits = '', unit = ''] = form.exec(value) ?? []
  return Number(digits) * units[unit]!
}

const methods = { btrfs: /^(lzo|(zlib|zstd)(:([1-9]|1[0-5]))?)$/, bcachefs: /^(lz4|(gzip|zstd)(:([1-9]|1[0-5]))?)$/ }

export const isCompression = (filesystem: 'btrfs' | 'bcachefs', text: string): boolean => methods[filesystem].test(text)

/** Whether mkfs would no longer refuse where it finds something. */
export const isForcing = (argument: string): boolean => argument === '--force' || /^-[^-]*f/.test(argument)
