import { type CommandContext, isZosError, ZosError } from '@zos/core'

/** A program and its arguments. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** Debian packages of the host's programs that a machine needs. */
const packages = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-system-aarch64': 'qemu-system-arm',
  'qemu-img': 'qemu-utils',
  'ssh-keygen': 'openssh-client',
  ip: 'iproute2',
  // In few distributions: the place of its releases.
  'cloud-hypervisor': 'https://github.com/cloud-hypervisor/cloud-hypervisor/releases',
} as const

export type Tool = keyof typeof packages

/** The command that brings a program. */
export const installCommand = (tool: Tool): string =>
  tool === 'cloud-hypervisor' ? packages[tool] : `apt-get install ${packages[tool]}`

const isTool = (file: string): file is Tool => file in packages

/** Whether an error says that a program is not on the host. */
export const isMissing = (error: unknown): boolean => isZosError(error) && error.code === 'HOST_TOOL_MISSING'

/**
 * Runs a program to its end, and gives its output. One that is missing is `HOST_TOOL_MISSING` with the command that
 * brings it; a failure is `VM_TOOL` with the program's last words.
 */
export const succeed = async (ctx: CommandContext, command: Command): Promise<string> => {
  const { file, args } = command
  const result = await ctx.run(command).catch((cause: unknown) => {
    if (!isZosError(cause) || !isMissing(cause) || !isTool(file)) throw cause
    throw new ZosError(cause.code, `the program ${file} is not there; a virtual machine needs it`, {
      hint: installCommand(file),
      exit: cause.exit,
      cause,
    })
  })
  if (result.exitCode === 0) return result.stdout
  const line = [file, ...args].join(' ')
  throw new ZosError('VM_TOOL', `${line} ended with ${result.exitCode}: ${result.stderr.trim().slice(-2000)}`)
}
