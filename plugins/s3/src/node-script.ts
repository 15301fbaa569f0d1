/** Where the node finds the public key, and when its image was built (seconds since 1970). */
export interface NodeScript {
  readonly key: string
  readonly epoch: number
}

/**
 * The shell script by which a node checks a file against the signed manifest beside it. Plain POSIX shell with busybox's
 * tools and openssl 1.1.1 or later. It ends with 0 only if signature, name, size, digest and expiry hold; expiry counts only
 * once the clock is past the build's epoch, since a node may start with a clock that says 1970.
 */
export const nodeScript = ({ key, epoch }: NodeScript): string => `#!/bin/sh
# verify-manifest FILE [MANIFEST]: checks FILE against its signed manifest (FILE.manifest).
set -u
file=\${1:?usage: verify-manifest FILE [MANIFEST]}
manifest=\${2:-$file.manifest}
key=\${ZOS_PUBLIC_KEY:-${key}}
epoch=${epoch}

fail() {
  echo "verify-manifest: $file: $*" >&2
  exit 1
}
command -v openssl >/dev/null || fail 'the image has no openssl, so it cannot be checked'
[ -r "$key" ] || fail "there is no public key $key"
[ -r "$file" ] || fail 'there is no such file'
[ -r "$manifest" ] || fail "it has no signed manifest $manifest"
[ "$(wc -c <"$manifest")" -le 16384 ] || fail 'its manifest is too large'

work=$(mktemp -d) || fail 'no room for temporary files'
trap 'rm -rf "$work"' EXIT
sed '/^signature /,$d' "$manifest" >"$work/body"
sed -n 's/^signature //p' "$manifest" | openssl base64 -d -A >"$work/signature" 2>/dev/null
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/body" -sigfile "$work/signature" >/dev/null 2>&1 ||
  fail 'the signature of its manifest is not that of the key'

[ "$(sed -n 1p "$work/body")" = 'zos manifest 1' ] || fail 'its manifest is of another kind'
fact() { sed -n "s/^$1 //p" "$work/body"; }
fact name | grep -Fqx -e "\${file##*/}" || fail "its manifest is for $(fact name | head -n 1)"
[ "$(wc -c <"$file" | tr -d ' ')" = "$(fact size)" ] || fail "its size is not $(fact size) bytes"
[ "$(sha256sum <"$file" | cut -d ' ' -f 1)" = "$(fact sha256)" ] || fail 'its content is not what was signed'
expires=$(fact expires)
now=$(date +%s)
if [ "$expires" != never ] && [ "$now" -ge "$epoch" ] && [ "$now" -gt "$expires" ]; then
  fail 'its manifest has expired: publish it again'
fi
`
