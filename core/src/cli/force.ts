// --force-rebuild and --rebuild-from: which steps run although they are remembered. Classic stage names are taken too.
import { didYouMean } from '../config/closest.js'
import { booleanOf } from '../config/overrides.js'
import { type BuildFlags, type Phase, phases } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import type { OptionValues } from './command.js'

/** The 18 stages of the classic build, and the phase and steps in which each is found now. */
export const classicStages: Readonly<Record<string, { readonly phase: Phase; readonly what: string }>> = {
  alpine_extract: { phase: 'fetch', what: 'the base’s packages' },
  alpine_configure: { phase: 'assemble', what: 'base files and branding' },
  alpine_packages: { phase: 'build', what: 'packages unpacked into a tree' },
  alpine_firmware: { phase: 'assemble', what: 'firmware that firmware.conf names' },
  components_build: { phase: 'build', what: 'Rust and other components' },
  components_verify: { phase: 'build', what: 'static linking proven from the ELF' },
  kernel_modules: { phase: 'build', what: 'the kernel’s module tree and its indexes' },
  init_script: { phase: 'assemble', what: '/init' },
  components_copy: { phase: 'assemble', what: 'programs put into the tree' },
  zinit_setup: { phase: 'assemble', what: 'zinit units and scripts' },
  modules_setup: { phase: 'assemble', what: 'modules.conf and its closure' },
  modules_copy: { phase: 'assemble', what: 'modules of stage 1 and 2' },
  cleanup: { phase: 'optimize', what: 'docs and caches removed, strip' },
  rfs_flists: { phase: 'build', what: 'flists' },
  validation: { phase: 'check', what: 'all checks of the finished tree' },
  initramfs_create: { phase: 'pack', what: 'initramfs.cpio.xz' },
  initramfs_test: { phase: 'pack', what: 'read back and compared' },
  kernel_build: { phase: 'pack', what: 'vmlinuz.efi' },
}

type Environment = Readonly<Record<string, string | undefined>>

const phaseOf = (name: string): Phase | undefined =>
  phases.find((phase) => phase === name) ?? classicStages[name]?.phase

const fromOf = (options: OptionValues, env: Environment): string | undefined =>
  (options['rebuild-from'] as string | undefined) ?? env.REBUILD_FROM_STAGE

const unknownStep = (from: string, known: readonly string[]): ZosError =>
  new ZosError(
    'STEP_UNKNOWN',
    `--rebuild-from=${from}: no such step, phase or classic stage${didYouMean(from, known)}`,
    {
      hint: 'all steps: zos steps',
      exit: ExitCode.usage,
    },
  )

/** Makes sure, after a build, that the step named by `--rebuild-from` was one of it: a wrong name forces nothing. */
export const checkForced = (options: OptionValues, env: Environment, steps: readonly { step: string }[]): void => {
  const from = fromOf(options, env)
  if (!from || phaseOf(from) || steps.some(({ step }) => step === from)) return
  throw unknownStep(
    from,
    steps.map(({ step }) => step),
  )
}

/** Whether nothing may be taken from the store. */
export const isForcedWhole = (options: OptionValues, env: Readonly<Record<string, string | undefined>>): boolean =>
  options['force-rebuild'] === true || (env.FORCE_REBUILD ? booleanOf('FORCE_REBUILD', env.FORCE_REBUILD) : false)

/** The rule that says whether a step is forced. `--rebuild-from STEP` takes that step and all phases after its own. */
export const forceRule = (options: OptionValues, env: Environment): BuildFlags['force'] => {
  if (isForcedWhole(options, env)) return () => true
  const from = fromOf(options, env)
  if (!from) return () => false
  const phase = phaseOf(from)
  if (phase) {
    const first = phases.indexOf(phase)
    return (_step, position) => phases.indexOf(position.phase) >= first
  }
  if (!from.includes('/') && !from.includes('.')) throw unknownStep(from, [...phases, ...Object.keys(classicStages)])
  let reached: Phase | undefined
  return (step, position) => {
    // An action of the step asks too, as of the phase build.
    if (step === from) reached ??= position.phase
    return step === from || (reached !== undefined && phases.indexOf(position.phase) > phases.indexOf(reached))
  }
}
