// `zos apk …`: what is inside packages and repositories, and why a package is in the image.
import { type CommandContext, type CommandDefinition, closest, ExitCode, ZosError } from '@zos/core'

type Run = (ctx: CommandContext, args: readonly string[]) => Promise<number>

/** Each is loaded when it is called. */
const commands: Readonly<Record<string, () => Promise<Run>>> = {
  solve: async () => (await import('./solve.js')).solveCommand,
  info: async () => (await import('./info.js')).infoCommand,
  files: async () => (await import('./files.js')).filesCommand,
  verify: async () => (await import('./verify.js')).verifyCommand,
  index: async () => (await import('./index-repository.js')).indexCommand,
  scripts: async () => (await import('./scripts.js')).scriptsCommand,
  why: async () => (await import('./why.js')).whyCommand,
}

const apk: CommandDefinition = {
  summary: `Alpine packages: ${Object.keys(commands).join(', ')}.`,
  arguments: 'COMMAND [NAME…]',
  options: {
    repository: {
      type: 'string',
      value: 'URL',
      multiple: true,
      help: 'repository, such as https://…/v3.22/main; may be given several times (solve, info)',
    },
    keys: { type: 'string', value: 'DIR', help: 'folder of public keys beside Alpine’s own (solve, info, verify)' },
    arch: { type: 'string', value: 'ARCH', help: 'x86_64 or aarch64; else x86_64 (solve, info), else the config’s' },
    key: { type: 'string', value: 'FILE', help: 'private key that signs, in PEM (index)' },
    'key-name': { type: 'string', value: 'NAME', help: 'its name in /etc/apk/keys; else FILE.pub (index)' },
    description: { type: 'string', value: 'TEXT', help: 'description of the repository (index)' },
    config: { type: 'string', value: 'PATH', help: 'config file (-c); for what looks into its lock' },
  },
  examples: [
    'zos apk solve --repository https://dl-cdn.alpinelinux.org/alpine/v3.22/main busybox openssh',
    'zos apk info busybox',
    'zos apk files kmod-33-r2.apk',
    'zos apk verify kmod-33-r2.apk APKINDEX.tar.gz --keys config/keys',
    'zos apk index packages/x86_64 --key builder.rsa --key-name builder@example.org-5e1d0000.rsa.pub',
    'zos apk scripts',
    'zos apk why libcrypto3',
  ],
  run: async (ctx) => {
    const [name = '', ...args] = ctx.args
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (load) return (await load())(ctx, args)
    const near = closest(name, Object.keys(commands), 1)
    throw new ZosError(
      'CLI_USAGE',
      name === ''
        ? 'zos apk: which command?'
        : `zos apk has no command '${name}'${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
      { hint: 'zos apk --help', exit: ExitCode.usage },
    )
  },
}

export default apk
