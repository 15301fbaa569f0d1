import { type DeltaBuilder, type Finding, type TapContext, type TreeView, ZosError } from '@zos/core'
import type { SystemOptions } from './options.js'

const shadow = '/etc/shadow'
const keyFile = '/root/.ssh/authorized_keys'
const sshdConfig = '/etc/ssh/sshd_config'
const sshdPart = '/etc/ssh/sshd_config.d/50-zos.conf'

/** A field that no password fits, and that is not a locked account, which sshd would keep out by key too. */
const noPassword = '*'

/** `/etc/shadow` with another password field of root (shadow(5)); an empty one is what `passwd -d root` leaves. */
export const withRootPassword = (text: string, field: string): string => {
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith('root:'))
  if (at < 0) {
    throw new ZosError('SYSTEM_SHADOW', `${shadow} has no line for root`, {
      hint: 'the package that brings the accounts is missing: alpine-baselayout, or base-passwd',
    })
  }
  const [name, , ...rest] = lines[at]!.split(':')
  lines[at] = [name, field, ...rest].join(':')
  return lines.join('\n')
}

const rootField = (text: string): string | undefined => /^root:([^:\n]*)/m.exec(text)?.[1]

const publicKey =
  /(?:^|\s)(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) AAAA[A-Za-z0-9+/]+={0,2}(?:\s|$)/

const publicKeys = async (ctx: TapContext, keys: SystemOptions['authorizedKeys']): Promise<string[]> => {
  const where = typeof keys === 'string' ? keys : 'system({ authorizedKeys })'
  const lines = typeof keys === 'string' ? (await ctx.project.text(keys)).split('\n') : (keys ?? [])
  return lines.flatMap((line, index) => {
    const key = line.trim()
    if (key === '' || key.startsWith('#')) return []
    if (publicKey.test(key)) return [key]
    throw new ZosError('SYSTEM_PUBLIC_KEY', `${where}: line ${index + 1} is no public key`, {
      hint: 'expected lines such as `ssh-ed25519 AAAA… name`, as ssh-keygen writes them to a .pub file',
    })
  })
}

/** What sshd is told: keys always; passwords only where root has one, or none and the option says so. */
export const sshdLines = ({ rootPassword, sshEmptyPassword = false }: SystemOptions, isEmpty: boolean): string => {
  const empty = sshEmptyPassword && isEmpty
  const passwords = empty || rootPassword !== undefined
  return [
    `PermitRootLogin ${passwords ? 'yes' : 'prohibit-password'}`,
    `PasswordAuthentication ${passwords ? 'yes' : 'no'}`,
    `PermitEmptyPasswords ${empty ? 'yes' : 'no'}`,
    '',
  ].join('\n')
}

/** Sets root's password field, the keys that may log in, and what sshd makes of both. */
export const putLogin = async (tree: TreeView, ctx: TapContext, options: SystemOptions): Promise<DeltaBuilder> => {
  const { rootPassword, authorizedKeys } = options
  const isEmpty = rootPassword === undefined && (options.passwordlessRoot ?? ctx.mode === 'debug')
  const delta = tree.delta({ over: 'any' })
  if (tree.resolve(shadow) === undefined) {
    throw new ZosError('SYSTEM_SHADOW', `the image has no ${shadow}`, {
      hint: 'put system() after the base, and add the package with the accounts: alpine-baselayout, or base-passwd',
    })
  }
  const field = rootPassword ?? (isEmpty ? '' : noPassword)
  delta.replace(shadow, withRootPassword(await tree.text(shadow), field))
  const keys = await publicKeys(ctx, authorizedKeys)
  if (keys.length > 0) {
    delta.directory('/root', { mode: 0o700 }).directory('/root/.ssh', { mode: 0o700 })
    delta.file(keyFile, keys.map((key) => `${key}\n`).join(''), { mode: 0o600 })
  }
  if (tree.resolve(sshdConfig) !== undefined) delta.file(sshdPart, sshdLines(options, isEmpty), { mode: 0o600 })
  return delta
}

/** Somebody has to be able to log in, and sshd has to read what it was told. */
export const loginFindings = async (tree: TreeView): Promise<Finding[]> => {
  const findings: Finding[] = []
  const text = async (path: string): Promise<string> => (tree.resolve(path) === undefined ? '' : tree.text(path))
  const field = rootField(await text(shadow))
  const isOpen = field === '' || field?.startsWith('$') === true
  if (!isOpen && !/\S/.test(await text(keyFile))) {
    findings.push({
      level: 'error',
      code: 'SYSTEM_NO_LOGIN',
      subject: shadow,
      message: 'nobody could log in: root has neither a password nor a key',
      hint: 'give system({ authorizedKeys }) or rootPassword, or ZEROOS_PASSWORDLESS_ROOT=true',
    })
  }
  if (tree.get(sshdPart) && !/^\s*Include\s+\S*sshd_config\.d\/\*\.conf/m.test(await text(sshdConfig))) {
    findings.push({
      level: 'error',
      code: 'SYSTEM_SSHD_INCLUDE',
      subject: sshdConfig,
      message: `does not include /etc/ssh/sshd_config.d/*.conf, so sshd never reads ${sshdPart}`,
      hint: 'keep the Include line in the sshd_config of the image',
    })
  }
  return findings
}
