// Small programs that show zig as the tools that rustc and build scripts call.
import { type BlobWriter, FileTree, type TreeRecord } from '@zos/core'
import { targetVariable, zigTarget } from './target.js'

const folder = '/build/bin'

const scripts = (zig: string, target: string): Readonly<Record<string, string>> => ({
  ar: `exec ${zig} ar "$@"\n`,
  // zig has its own names for targets, so the one that the cc crate gives to every clang is left out.
  cc: [
    'for arg do shift; case $arg in --target=*) ;; *) set -- "$@" "$arg" ;; esac; done\n',
    `exec ${zig} cc -target ${zigTarget(target)} -fno-sanitize=all "$@"\n`,
  ].join(''),
  ld: `exec ${zig} ld.lld "$@"\n`,
  ranlib: `exec ${zig} ranlib "$@"\n`,
})

/** The scripts as a tree of executable files, for the input `bin` of an action. */
export const wrapperTree = async (zig: string, target: string, blobs: BlobWriter): Promise<FileTree> => {
  const records: TreeRecord[] = []
  for (const [name, script] of Object.entries(scripts(zig, target))) {
    const blob = await blobs.put(`#!/bin/sh\n${script}`)
    records.push({ path: `/${name}`, kind: 'file', mode: 0o755, uid: 0, gid: 0, blob })
  }
  return FileTree.from(records)
}

/** Where a linker is named, when zig links. */
export const zigLinker = `${folder}/ld`

/** What the cc crate and hand-written build scripts look at, so that C code is compiled for the target. */
export const zigVariables = (target: string): Readonly<Record<string, string>> => {
  const suffix = target.replaceAll('-', '_')
  return {
    [`AR_${suffix}`]: `${folder}/ar`,
    [`CC_${suffix}`]: `${folder}/cc`,
    [`RANLIB_${suffix}`]: `${folder}/ranlib`,
    ZIG_GLOBAL_CACHE_DIR: '/build/zig-cache',
    ZIG_LOCAL_CACHE_DIR: '/build/zig-cache',
  }
}

/** The variable by which cargo is told a linker; it wins over what a project's own configuration says. */
export const linkerVariable = (target: string): string => `CARGO_TARGET_${targetVariable(target)}_LINKER`
