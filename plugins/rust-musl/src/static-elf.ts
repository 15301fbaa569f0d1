import { type Arch, ZosError } from '@zos/core'
import { elfArch, isElf, parseElf } from '@zos/core/format'

/**
 * Proves from its ELF header that a program is static and for the image's machine: no interpreter, no library. `file`
 * is named in the error, `RUST_NOT_STATIC`, together with what was found.
 */
export const checkStatic = (bytes: Uint8Array, file: string, arch: Arch): void => {
  const wrong = (found: string, hint: string): ZosError =>
    new ZosError('RUST_NOT_STATIC', `${file}: ${found}; expected a static ELF program for ${arch}`, { hint })
  if (!isElf(bytes)) throw wrong('no ELF file', `look at it with: file ${file}`)
  const elf = parseElf(bytes)
  const machine = elfArch(elf.machine)
  if (machine !== arch || elf.class !== 64) {
    throw wrong(`for ${machine}, ${elf.class} bits`, 'take the file for this machine, or set arch in the config')
  }
  if (elf.static) return
  const facts = [
    ...(elf.interpreter === undefined ? [] : [`the interpreter ${elf.interpreter}`]),
    ...(elf.needed.length === 0 ? [] : [`needs ${elf.needed.join(', ')}`]),
  ]
  throw wrong(
    facts.length > 0 ? facts.join(' and ') : `an ELF file of type ${elf.type} that is no program`,
    'a crate may have a feature that brings its libraries along (vendored, bundled, rustls); of releases take the static one',
  )
}
