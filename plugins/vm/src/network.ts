import { type CommandContext, digestOf, ZosError } from '@zos/core'
import type { Hypervisor } from './machine.js'
import { type Command, succeed } from './tools.js'

/** How the machine's network card leads outside. */
export type Network =
  /** QEMU's own network, behind which port 22 of the guest is a port of 127.0.0.1. */
  | { readonly by: 'user'; readonly sshPort: number }
  /** A bridge of the host; qemu-bridge-helper joins it. */
  | { readonly by: 'bridge'; readonly bridge: string; readonly mac: string }
  /** A tap device of the host, which is made before and removed after. */
  | { readonly by: 'tap'; readonly tap: string; readonly mac: string }

/** Linux gives a network device 15 characters at most. */
export const checkBridge = (name: string): string => {
  if (/^[A-Za-z0-9_.-]{1,15}$/.test(name) && name !== '.' && name !== '..') return name
  throw new ZosError(
    'VM_BRIDGE',
    `--bridge ${JSON.stringify(name)}: expected the name of a bridge, 1 to 15 letters, digits and _.-`,
    {
      hint: 'ip link show type bridge lists those of this machine',
    },
  )
}

/** An address in QEMU's own range, the same for the same machine: two on one bridge must differ. */
export const macOf = (identity: { readonly host: string; readonly folder: string; readonly port: number }): string => {
  const digest = digestOf(identity)
  return ['52:54:00', digest.slice(0, 2), digest.slice(2, 4), digest.slice(4, 6)].join(':')
}

/** Commands that make a tap device on a bridge, and the one that removes it; all need the right to change the network. */
export const tapCommands = (
  tap: string,
  bridge: string,
): { readonly make: readonly Command[]; readonly remove: Command } => ({
  make: [
    { file: 'ip', args: ['tuntap', 'add', 'dev', tap, 'mode', 'tap'] },
    { file: 'ip', args: ['link', 'set', tap, 'master', bridge, 'up'] },
  ],
  remove: { file: 'ip', args: ['link', 'delete', tap] },
})

/** The network card of a machine: on a bridge where one is named, else in QEMU's own network; cloud-hypervisor has none. */
export const networkOf = async (
  ctx: CommandContext,
  { hypervisor, bridge }: { readonly hypervisor: Hypervisor; readonly bridge: string | undefined },
  port: number,
): Promise<Network | undefined> => {
  if (bridge === undefined) return hypervisor === 'qemu' ? { by: 'user', sshPort: port } : undefined
  if (!(await ctx.files.exists(`/sys/class/net/${bridge}/bridge`)))
    throw new ZosError('VM_BRIDGE', `this machine has no bridge ${bridge}`, {
      hint: `ip link add ${bridge} type bridge && ip link set ${bridge} up; ip link show type bridge lists those there are`,
    })
  const host = (await ctx.files.text('/etc/machine-id'))?.trim() ?? ''
  const mac = macOf({ host, folder: ctx.outputFolder, port })
  return hypervisor === 'qemu' ? { by: 'bridge', bridge, mac } : { by: 'tap', tap: `zos${port}`, mac }
}

/** Runs with the tap device that the network asks for, which is removed whatever happens. */
export const withTap = async <T>(
  ctx: CommandContext,
  network: Network | undefined,
  bridge: string | undefined,
  run: () => Promise<T>,
): Promise<T> => {
  if (network?.by !== 'tap' || bridge === undefined) return run()
  const { make, remove } = tapCommands(network.tap, bridge)
  try {
    for (const command of make) await succeed(ctx, command)
    return await run()
  } finally {
    // cloud-hypervisor may have removed it itself.
    await ctx.run(remove)
  }
}
