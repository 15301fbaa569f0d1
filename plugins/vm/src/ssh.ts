import { type CommandContext, ExitCode, ZosError } from '@zos/core'
import { vmFolder } from './machine.js'
import { type Command, installCommand, isMissing, succeed } from './tools.js'

/** Who may log in to the machine, and how to do it. */
export interface Login {
  /** File with the public keys that the machine is offered; `undefined`: none. */
  readonly offered: string | undefined
  /** File for `ssh -i`; `undefined`: ssh's own choice. */
  readonly identity: string | undefined
  /** What a person should know. */
  readonly note?: string
}

/** Nobody's keys. */
export const noLogin: Login = { offered: undefined, identity: undefined }

/** Characters of a file with public keys. */
const longest = 65_536

const publicKey =
  /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d{3}|sk-[a-z0-9-]+@openssh\.com) AAAA[A-Za-z0-9+/]+={0,2}(?: .*)?$/

/** The lines with keys of a `.pub` file, as a text for `authorized_keys`. Anything else in it is `VM_SSH_KEY`. */
export const publicKeys = (text: string, where: string): string => {
  const wrong = (message: string): ZosError =>
    new ZosError('VM_SSH_KEY', `${where}: ${message}`, {
      hint: 'expected a line such as `ssh-ed25519 AAAA… name`, as ssh-keygen writes it to a .pub file',
      exit: ExitCode.usage,
    })
  if (text.includes('PRIVATE KEY')) throw wrong('this is a private key, which stays where it is; name its .pub file')
  if (text.length > longest) throw wrong(`more than ${longest} characters`)
  const keys = text.split('\n').flatMap((line, index) => {
    const key = line.trim()
    if (key === '' || key.startsWith('#')) return []
    if (publicKey.test(key)) return [`${key}\n`]
    throw wrong(`line ${index + 1} is no public key`)
  })
  if (keys.length === 0) throw wrong('there is no public key in it')
  return keys.join('')
}

/** Makes a key pair without a passphrase: `path`, and `path.pub`. */
export const keyCommand = (path: string): Command => ({
  file: 'ssh-keygen',
  args: ['-q', '-t', 'ed25519', '-N', '', '-C', 'zos-run', '-f', path],
})

/**
 * Logs in to a machine behind a port of 127.0.0.1. It makes a new host key at every start, so that there is nothing to
 * compare; other keys of the user are not tried, since servers hang up after a few.
 */
export const sshCommand = (port: number, identity: string | undefined): Command => ({
  file: 'ssh',
  args: [
    ...(identity === undefined ? [] : ['-i', identity, '-o', 'IdentitiesOnly=yes']),
    ...['-p', String(port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    'root@127.0.0.1',
  ],
})

/** A command as it can be typed into a shell. */
export const shellText = ({ file, args }: Command): string =>
  [file, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')

/** Key pair of the machines of one output folder: made once, kept. */
const ownPair = async (ctx: CommandContext): Promise<string | undefined> => {
  const path = `${vmFolder(ctx)}/ssh_key`
  if ((await ctx.files.exists(path)) && (await ctx.files.exists(`${path}.pub`))) return path
  await ctx.files.remove(path)
  await ctx.files.remove(`${path}.pub`)
  try {
    await succeed(ctx, keyCommand(path))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  return path
}

/** The login of the person who runs the machine: by the public keys of `file`, else by a pair that is made for it. */
export const loginOf = async (ctx: CommandContext, file: string | undefined): Promise<Login> => {
  const offered = `${vmFolder(ctx)}/authorized_keys`
  if (file !== undefined) {
    const text = await ctx.files.text(file)
    if (text === undefined)
      throw new ZosError('VM_SSH_KEY', `${file} cannot be read`, {
        hint: 'name a file with public keys: --ssh-key ~/.ssh/id_ed25519.pub',
        exit: ExitCode.usage,
      })
    await ctx.files.write(offered, publicKeys(text, file))
    if (!file.endsWith('.pub')) return { offered, identity: undefined }
    // Where the private half is not beside it, ssh asks the agent for it, by the public one.
    const secret = file.slice(0, -'.pub'.length)
    return { offered, identity: (await ctx.files.exists(secret)) ? secret : file }
  }
  const pair = await ownPair(ctx)
  if (pair === undefined) {
    const note = `no key for ssh, since ssh-keygen is not there: ${installCommand('ssh-keygen')}, or --ssh-key FILE.pub`
    return { offered: undefined, identity: undefined, note }
  }
  await ctx.files.copy(`${pair}.pub`, offered)
  return { offered, identity: pair }
}
