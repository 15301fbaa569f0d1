import type { DeltaBuilder, Finding, TapContext, TreeView } from '@zos/core'
import { imageDialect } from './image-units.js'
import type { ZinitOptions } from './options.js'
import type { Dialect } from './render.js'

/** What `/init` reads: how the root file system is set up, and the command line that becomes PID 1. */
const bootConf = '/etc/zos/boot.conf'

/** zinit 0.2 is its own PID 1; from 0.3 on a program of its own starts the server. */
const firstProcess: Record<Dialect, string> = { yaml: '/sbin/zinit init', toml: '/sbin/zinit-pid1' }

/** Programs that a zinit needs beside its first process. */
const companions: Record<Dialect, readonly string[]> = { yaml: [], toml: ['/sbin/zinit-server'] }

/** Puts `/init` and the settings it reads. */
export const putBoot = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<DeltaBuilder> => {
  const { init, root = 'tmpfs', rootSize = '1536m' } = options
  const dialect = await imageDialect(ctx, options)
  const conf = `pid1='${firstProcess[dialect]}'\nroot=${root}\nsize=${rootSize}\n`
  return tree
    .delta()
    .file('/init', await ctx.project.bytes(init), { mode: 0o755 })
    .file(bootConf, conf)
}

/** What has to be in the finished tree for the machine to come up, and what must never be in it. */
export const bootFindings = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<Finding[]> => {
  const dialect = await imageDialect(ctx, options)
  const findings: Finding[] = []
  const programs = [firstProcess[dialect].split(' ')[0]!, ...companions[dialect]]
  for (const path of ['/init', ...programs]) {
    const real = tree.resolve(path)
    const entry = real === undefined ? undefined : tree.get(real)
    const isInit = path === '/init'
    if (entry?.kind !== 'file' || (entry.mode & 0o111) === 0) {
      findings.push({
        level: 'error',
        code: isInit ? 'ZINIT_NO_INIT' : 'ZINIT_NO_ZINIT',
        subject: path,
        message: `${path} ${entry ? 'is no executable file' : 'is not in the image'}`,
        hint: isInit ? 'zinit({ init }) names the script' : 'install zinit there: see install of its component',
      })
    } else if (!isInit && !(await isStatic(tree, path))) {
      findings.push({
        level: 'error',
        code: 'ZINIT_NOT_STATIC',
        subject: path,
        message: `${path} needs a loader or libraries; the first process has to start without any`,
        hint: 'build it for the musl target, as rustMusl() does',
      })
    }
  }
  const keys = [...tree.glob('/etc/ssh/ssh_host_*_key'), ...tree.glob('/etc/dropbear/*key*')]
  for (const { path } of keys) {
    const message = `${path} is a private key: every machine that boots this image would have the same`
    findings.push({
      level: 'error',
      code: 'ZINIT_HOST_KEY',
      subject: path,
      message,
      hint: 'make it on the machine, in a oneshot',
    })
  }
  return findings
}

/** Whether a program needs no loader and no library; what is no ELF file at all cannot be said. */
const isStatic = async (tree: TreeView, path: string): Promise<boolean> => {
  const { isElf, parseElf } = await import('@zos/core/format')
  const bytes = await tree.read(path)
  return !isElf(bytes) || parseElf(bytes).static
}
