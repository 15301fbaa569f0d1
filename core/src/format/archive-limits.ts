/** Bounds on what an archive from outside may hold; the reader stops at the first that is passed. */
export interface ArchiveLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Bytes of all files together. */
  readonly totalBytes: number
  readonly entries: number
  /** UTF-8 bytes of one path or link target. */
  readonly pathBytes: number
  /** Bytes of extended headers before one entry, and of all global ones together. */
  readonly headerBytes: number
}

/** One file: what newc can hold. Paths: the kernel's PATH_MAX. The rest: far above any distribution's packages. */
export const archiveLimits: ArchiveLimits = {
  fileBytes: 0xffff_ffff,
  totalBytes: 16 * 1024 ** 3,
  entries: 1_000_000,
  pathBytes: 4096,
  headerBytes: 1024 ** 2,
}
