/** What decides how a machine is run. */
export interface AcceleratorFacts {
  /** Architectures of the image and of this host, as `x86_64`; the host's is `undefined` where it is not known. */
  readonly guest: string
  readonly host: string | undefined
  /** Text of `/proc/cpuinfo`; `undefined` where there is none. */
  readonly cpuinfo: string | undefined
  /** Whether `/dev/kvm` is there. */
  readonly device: boolean
  /** What became of a guest that was started with KVM to see; `undefined` while none was. */
  readonly probe: 'userspace' | 'silent' | undefined
}

export type Accelerator = 'kvm' | 'tcg'

/** What to run with and why, or `probe`: a guest has to be started with KVM before this can be said. */
export type Decision = { readonly accelerator: Accelerator; readonly reason: string } | 'probe'

/**
 * KVM is used only where the processor says it can (`vmx` or `svm`), the device is there, and a probe guest got to
 * userspace: hosts that are guests themselves often have a device that works for nothing. Everything else is TCG.
 */
export const decideAccelerator = ({ guest, host, cpuinfo, device, probe }: AcceleratorFacts): Decision => {
  const tcg = (reason: string): Decision => ({ accelerator: 'tcg', reason })
  if (guest !== host) return tcg(`the image is ${guest}, this machine ${host ?? 'unknown'}`)
  if (!/^flags\s*:.*\b(?:vmx|svm)\b/m.test(cpuinfo ?? '')) return tcg('no vmx/svm')
  if (!device) return tcg('no /dev/kvm')
  if (probe === undefined) return 'probe'
  if (probe === 'silent') return tcg('KVM is there, but a probe guest did not reach userspace')
  return { accelerator: 'kvm', reason: 'a probe guest reached userspace' }
}
