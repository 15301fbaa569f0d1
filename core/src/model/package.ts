/**
 * A package of the bill of materials: something with a name, a version and a licence of its own that is in the image, or
 * that something in it was made from.
 */
export interface Package {
  readonly name: string
  readonly version: string
  /** Package URL (https://github.com/package-url/purl-spec): `pkg:deb/debian/kmod@30-1?arch=amd64`. Identifies the package. */
  readonly purl: string
  /** SPDX licence expression, as the package declares it; left out where it declares none. */
  readonly license?: string
  /** What the package says of its licences in words of its own, where that is no SPDX expression. */
  readonly licenseComment?: string
  /** Who distributes it: `Debian`. */
  readonly supplier?: string
  /** Address that it can be had from, without credentials. */
  readonly download?: string
  readonly homepage?: string
  /** SHA-256 of the file or archive that was fetched, 64 hex digits. */
  readonly sha256?: string
  /** What it is made from, such as the crates of a program. */
  readonly madeFrom?: readonly Package[]
}

/** A package, and the plugin that brought it. */
export interface BilledPackage extends Package {
  readonly plugin: string
}
