// The formats that plugins may use: `@zos/core/format`. Pure: bytes to records and back.
export { type BzImage, readBzImage } from './bzimage.js'
export { type CpioOptions, writeCpio } from './cpio.js'
export { type Compression, type DecompressLimits, decompress } from './decompress.js'
export { type ElfFile, elfArch, isElf, parseElf } from './elf.js'
export { type ElfSection, elfSection } from './elf-sections.js'
export { type UkiParts, writeUki } from './uki.js'
export { decompressZstd, type ZstdLimits } from './zstd.js'
