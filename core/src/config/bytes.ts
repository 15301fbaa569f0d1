// Sizes as a config writes them.
const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
}

/** Bytes of `15 MB`, `800 kB`, `12.5 MiB` or a number; `undefined` for anything else. */
export const bytesOf = (text: string | number): number | undefined => {
  if (typeof text === 'number') return Number.isSafeInteger(text) && text > 0 ? text : undefined
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(B|[kMG]B|[KMG]iB)$/.exec(text) ?? []
  const bytes = Math.round(Number(number) * (units[unit] ?? Number.NaN))
  return bytes > 0 ? bytes : undefined
}
