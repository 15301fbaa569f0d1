// For 64-bit ARM: Alpine's packages and the Rust programs for aarch64, the kernel cross-compiled.
import zeroOs from '../zos.config.ts'

export default zeroOs.variant({ name: 'zero-os-arm64', arch: 'aarch64' })
