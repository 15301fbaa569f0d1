import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Modinfo, parseModinfo } from '../dist/modinfo.js'
import { type ModuleIndex, moduleIndex } from '../dist/module-index.js'

/** Debian's newest cloud kernel, unpacked once a machine, and kmod's programs to judge by. */
export interface DebianKernel {
  readonly version: string
  /** Holds boot/ and lib/modules/VERSION as in the package, without indexes, and systemd's EFI stub. */
  readonly root: string
  /** Runs a program of kmod (`depmod`, `modprobe`, `modinfo`) and gives its standard output. */
  kmod(program: string, args: readonly string[], cwd?: string): Buffer
}

const cache = join(tmpdir(), 'zos-test-kernel')

/** The kernel, or the reason why it cannot be had here. */
export const debianKernel = (): DebianKernel | string => {
  try {
    const root = unpacked('kernel', () => [newestImage(), 'systemd-boot-efi'])
    const [version] = readdirSync(join(root, 'lib/modules'))
    return { version: version!, root, kmod: kmodRunner() }
  } catch (error) {
    return `no Debian kernel here: ${(error as Error).message.split('\n')[0]}`
  }
}

/** The kernel's index, made from what `modinfo` says of every module. */
export const debianIndex = ({ root, version, kmod }: DebianKernel): ModuleIndex => {
  const folder = join(root, 'lib/modules', version)
  const files = readdirSync(join(folder, 'kernel'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ko.xz'))
    .map((name) => join(folder, 'kernel', name))
  const output = kmod('modinfo', ['-0', ...files])
  return moduleIndex({
    version,
    modinfo: modinfoOf(output, folder),
    builtin: readFileSync(join(folder, 'modules.builtin'), 'utf8'),
    builtinModinfo: readFileSync(join(folder, 'modules.builtin.modinfo')),
  })
}

/** What `modinfo -0` prints: for each file `filename:` and its path, then pairs, all ended by zero bytes. */
const modinfoOf = (output: Buffer, folder: string): Map<string, Modinfo> =>
  new Map(
    output
      .toString('latin1')
      .split(/filename: {7}/)
      .slice(1)
      .map((text) => {
        const [path, ...pairs] = text.split('\0')
        const section = pairs.filter((pair) => !pair.startsWith('parm:')).join('\0')
        return [path!.slice(folder.length + 1), parseModinfo(Buffer.from(section, 'latin1'))]
      }),
  )

/** A copy of the kernel's modules in a fresh folder, with depmod's indexes; the caller removes it. */
export const indexedCopy = ({ root, version, kmod }: DebianKernel): string => {
  const copy = `${cache}/indexed-${process.pid}`
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(root, 'lib'), join(copy, 'lib'), { recursive: true })
  kmod('depmod', ['-b', copy, '-F', join(root, 'boot', `System.map-${version}`), version])
  return copy
}

const newestImage = (): string => {
  const list = execFileSync('apt-cache', ['depends', '--important', 'linux-image-6.12-cloud-amd64'], { stdio: 'pipe' })
  const name = /Depends: (linux-image-6\.12\S+)/.exec(list.toString())?.[1]
  if (!name) throw new Error('apt knows no linux-image-6.12-cloud-amd64')
  return name
}

const kmodRunner = (): DebianKernel['kmod'] => {
  const host = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].find((folder) => existsSync(join(folder, 'depmod')))
  const kmod = host
    ? join(host, 'depmod')
    : join(
        unpacked('kmod', () => ['kmod', 'libkmod2']),
        'bin/kmod',
      )
  const libraries = join(cache, 'kmod/usr/lib/x86_64-linux-gnu')
  return (program, args, cwd) => {
    const { status, stdout, stderr, error } = spawnSync(kmod, args, {
      argv0: program,
      cwd,
      env: { ...process.env, LC_ALL: 'C', ...(host ? {} : { LD_LIBRARY_PATH: libraries }) },
      maxBuffer: 256 * 1024 * 1024,
    })
    if (status !== 0) throw error ?? new Error(`${program} ${args.slice(0, 6).join(' ')}: ${stderr}`)
    return stdout
  }
}

/** Downloads packages with the host's apt and unpacks them below the cache, whole or not at all. */
const unpacked = (name: string, packages: () => string[]): string => {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const work = `${folder}.${process.pid}`
  mkdirSync(join(work, 'root'), { recursive: true })
  try {
    execFileSync('apt-get', ['download', '-qq', ...packages()], { cwd: work, stdio: 'pipe', timeout: 120_000 })
    for (const deb of readdirSync(work).filter((file) => file.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', join(work, deb), join(work, 'root')], { stdio: 'pipe' })
    }
    renameSync(join(work, 'root'), folder)
  } catch (error) {
    // Another test, running at the same time, may have been faster.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}
