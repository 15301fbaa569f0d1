import { type DeltaBuilder, type Finding, type TapContext, type TreeView, ZosError } from '@zos/core'
import { imageDialect } from './image-units.js'
import type { ZinitOptions } from './options.js'
import type { Dialect } from './render.js'

/** What `/init` reads: how the root file system is set up, and the command line that becomes PID 1. */
const bootConf = '/etc/zos/boot.conf'

/** zinit 0.2 is its own PID 1; from 0.3 on a program of its own starts the server. */
const firstProcess: Record<Dialect, string> = { yaml: '/sbin/zinit init', toml: '/sbin/zinit-pid1' }

/** Programs that a zinit needs beside its first process. */
const companions: Record<Dialect, readonly string[]> = { yaml: [], toml: ['/sbin/zinit-server'] }

/** Puts `/init`, the settings it reads, and who may log in. */
export const putBoot = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<DeltaBuilder> => {
  const { init, root = 'tmpfs', rootSize = '1536m', authorizedKeys } = options
  const dialect = await imageDialect(ctx, options)
  const conf = `pid1='${firstProcess[dialect]}'\nroot=${root}\nsize=${rootSize}\n`
  const delta = tree
    .delta()
    .file('/init', await ctx.project.bytes(init), { mode: 0o755 })
    .file(bootConf, conf)
  const keys = await publicKeys(ctx, authorizedKeys)
  if (keys.length > 0) {
    delta.directory('/root', { mode: 0o700 }).directory('/root/.ssh', { mode: 0o700 })
    delta.file('/root/.ssh/authorized_keys', keys.map((key) => `${key}\n`).join(''), { mode: 0o600 })
  }
  return delta
}

const publicKey =
  /(?:^|\s)(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) AAAA[A-Za-z0-9+/]+={0,2}(?:\s|$)/

const publicKeys = async (ctx: TapContext, keys: ZinitOptions['authorizedKeys']): Promise<string[]> => {
  const where = typeof keys === 'string' ? keys : 'zinit({ authorizedKeys })'
  const lines = typeof keys === 'string' ? (await ctx.project.text(keys)).split('\n') : (keys ?? [])
  return lines.flatMap((line, index) => {
    const key = line.trim()
    if (key === '' || key.startsWith('#')) return []
    if (publicKey.test(key)) return [key]
    throw new ZosError('ZINIT_PUBLIC_KEY', `${where}: line ${index + 1} is no public key`, {
      hint: 'expected lines such as `ssh-ed25519 AAAA… name`, as ssh-keygen writes them to a .pub file',
    })
  })
}

/** What has to be in the finished tree for the machine to come up, and what must never be in it. */
export const bootFindings = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<Finding[]> => {
  const dialect = await imageDialect(ctx, options)
  const findings: Finding[] = []
  for (const path of ['/init', firstProcess[dialect].split(' ')[0]!, ...companions[dialect]]) {
    const real = tree.resolve(path)
    const entry = real === undefined ? undefined : tree.get(real)
    if (entry?.kind === 'file' && (entry.mode & 0o111) !== 0) continue
    const what = entry ? 'is no executable file' : 'is not in the image'
    const hint =
      path === '/init' ? 'zinit({ init }) names the script' : 'install zinit there: see install of its component'
    findings.push({ level: 'error', code: 'ZINIT_BOOT', subject: path, message: `${path} ${what}`, hint })
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
