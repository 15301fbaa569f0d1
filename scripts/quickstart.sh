#!/bin/bash
# From a fresh checkout to a booted machine: prepares, builds variants/quickstart.config.ts, boots it until it is ready.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.zos-toolchain/zig:$PATH"

config=variants/quickstart.config.ts
output=dist/quickstart
# The last line that the image's own services print.
ready='zos: ready'
# Seconds for the boot; without hardware virtualisation it takes some 10.
limit=180

step() { printf '\n== %s\n' "$*"; }
zos() { node core/dist/cli/main.js "$@"; }

step 'preparing (scripts/setup.sh)'
scripts/setup.sh

step "building (zos build -c $config)"
zos build -c "$config"

step "booting (zos run -c $config)"
zos run -c "$config" --expect "$ready" --timeout "$limit" </dev/null

step 'done'
printf 'the machine printed:\n'
tail -n 8 "$output/vm/console.log" | sed 's/\r$//; s/^/  /'
printf '\nfiles in %s:\n' "$output"
find "$output" -maxdepth 1 -type f -printf '  %-32f %10s bytes\n' | sort
printf '\nboot it again and log in:\n  npm run -s zos -- run -c %s\n' "$config"
