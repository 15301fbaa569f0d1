import type { Arch } from '@zos/core'

/** Rust's name of the target. */
export const rustTarget = (arch: Arch): string => `${arch}-unknown-linux-musl`

/** zig's name of the same target. */
export const zigTarget = (target: string): string => target.replace('-unknown-', '-')

/** As environment variables of cargo spell it. */
export const targetVariable = (target: string): string => target.toUpperCase().replaceAll('-', '_')

/**
 * Platforms whose dependencies a build can need: the target itself, and the machines that build scripts and macros run
 * on. All of them on every machine, so that the vendored crates are the same everywhere.
 */
export const buildPlatforms = (target: string): readonly string[] => [
  target,
  'x86_64-unknown-linux-gnu',
  'aarch64-unknown-linux-gnu',
]
