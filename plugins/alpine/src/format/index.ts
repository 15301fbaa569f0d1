// Alpine's file formats: `@zos/alpine/format`. Pure: bytes to values and back.
export { type IndexEntry, parseIndex } from './index-text.js'
export { type PackageInfo, parsePkginfo, pkginfoText } from './pkginfo.js'
export { type ApkFile, readApk } from './read-apk.js'
export { readIndex } from './read-index.js'
export { checkSignature, type PublicKeys, type Signature, type SigningKey } from './signature.js'
export { compareVersions, isVersion } from './version.js'
export { type ApkContent, type ScriptName, scriptNames, writeApk } from './write-apk.js'
export { type IndexPackage, indexPackage, writeIndex } from './write-index.js'
