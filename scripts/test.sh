#!/bin/bash
# All tests: prepares the checkout, then runs the unit and the system tests, or what is named: scripts/test.sh nightly.
# Ends with one line of counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.zos-toolchain/zig:$PATH"
scripts/setup.sh tests
[ $# -gt 0 ] || set -- unit system
exec node scripts/test.mjs "$@"
