/** Longest module name in bytes: the kernel's MODULE_NAME_LEN on 64 bit is 56, with the closing zero. */
export const moduleNameLimit = 55

/** `true` for what can be a module's name: letters, digits, `-` and `_`. */
export const isModuleName = (text: string): boolean =>
  text.length <= moduleNameLimit && /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(text)

/** The form in which the kernel knows a module: `-` and `_` are equal, `_` is used. */
export const canonicalName = (name: string): string => name.replaceAll('-', '_')

const moduleFile = /\.ko(?:\.(?:xz|zst|gz))?$/

/** `true` for `x.ko` and its compressed forms. */
export const isModuleFile = (path: string): boolean => moduleFile.test(path)

/** The path without the suffix of a compression: `kernel/fs/xfs.ko.zst` → `kernel/fs/xfs.ko`. */
export const uncompressedPath = (path: string): string => path.replace(/\.ko\.(?:xz|zst|gz)$/, '.ko')

/** Name of the module in a file: `kernel/arch/x86/crypto/crc32c-intel.ko.xz` → `crc32c_intel`. */
export const moduleNameOf = (path: string): string =>
  canonicalName(path.slice(path.lastIndexOf('/') + 1).replace(moduleFile, ''))
