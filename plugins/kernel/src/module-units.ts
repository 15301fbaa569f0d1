import type { WishedUnit } from '@zos/zinit'
import type { Stage } from './modules-conf.js'

/**
 * A driver that finds no hardware is no failure of the machine: modprobe names it in the log and goes on with the next.
 * The full path, since busybox would take its own modprobe, which knows no compressed modules.
 */
const unitOf = (stage: Stage, after: readonly string[]): WishedUnit => ({
  name: `${stage}-modules`,
  exec: `/bin/sh -c '[ ! -s /etc/zos/modules/${stage} ] || xargs -r /sbin/modprobe -a </etc/zos/modules/${stage} || true'`,
  oneshot: true,
  ...(after.length > 0 && { after }),
})

/** Units that load the modules of the stages: the first before everything else, the second once the network is up. */
export const moduleUnits: readonly WishedUnit[] = [unitOf('stage1', []), unitOf('stage2', ['network'])]
