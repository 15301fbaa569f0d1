// The real apk as a judge: run in the root file system that lies beside the project, where there is one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** A file of the data beside the project; `undefined` where it is not there. */
export const fixture = (name: string): string | undefined => {
  const path = join(project, '../shared/fixtures', name)
  return existsSync(path) ? path : undefined
}

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A root file system with apk in it, as a folder that is removed at the end of the process. */
export class RealApk {
  readonly root: string

  private constructor(archive: string) {
    this.root = mkdtempSync(join(tmpdir(), 'zos-apk-'))
    process.once('exit', () => rmSync(this.root, { recursive: true, force: true }))
    const made = spawnSync('tar', ['-xzf', archive, '-C', this.root], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`tar: ${made.stderr}`)
    mkdirSync(join(this.root, 'trial'))
  }

  /** Why there is none here, or the judge. */
  static find(): RealApk | string {
    const archive = fixture('alpine-minirootfs-3.20.3-x86_64.tar.gz')
    if (archive === undefined) return 'no root file system with the real apk beside the project'
    if (process.getuid?.() !== 0) return 'chroot needs root'
    if (process.arch !== 'x64') return 'the root file system is for x86_64'
    return new RealApk(archive)
  }

  /** Path of a file in its `/trial`, as this process sees it. */
  path(name: string): string {
    return join(this.root, 'trial', name)
  }

  run(args: readonly string[], input?: string): Ran {
    return this.exec(['/sbin/apk', ...args], this.root, input)
  }

  exec(command: readonly string[], root: string, input?: string): Ran {
    const { status, stdout, stderr } = spawnSync('chroot', [root, ...command], {
      encoding: 'utf8',
      env: { PATH: '/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/sbin:/usr/local/bin' },
      maxBuffer: 64 * 1024 ** 2,
      ...(input !== undefined && { input }),
    })
    return { status: status ?? -1, stdout, stderr }
  }
}
