/** Debian's packages of one Rust: `rustc`, and `rustc-web` with a newer one for browsers. */
const rustPackage =
  /^(rustc|cargo|rust-src|libstd-rust-\d[\d.]*|rustc-web|cargo-web|rust-web-src|libstd-rust-web-\d[\d.]*)$/
const llvmPackage = /\blibllvm[\d.]+\b/g

/**
 * Names of the installed packages that decide what `/usr/bin/rustc` makes, LLVM included, sorted; out of dpkg's
 * database, `/var/lib/dpkg/status` (deb822 stanzas).
 */
export const debianRustPackages = (status: string): readonly string[] => {
  const found = new Set<string>()
  for (const stanza of status.split('\n\n')) {
    const name = /^Package: (.+)$/m.exec(stanza)?.[1]
    if (name === undefined || !rustPackage.test(name) || !/^Status: .* installed$/m.test(stanza)) continue
    found.add(name)
    for (const [llvm] of (/^Depends: (.+)$/m.exec(stanza)?.[1] ?? '').matchAll(llvmPackage)) found.add(llvm)
  }
  return [...found].sort()
}
