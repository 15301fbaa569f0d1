#!/bin/bash
# All tests: prepares the checkout, then runs the unit and the system tests. Ends with one line of counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
exec node scripts/test.mjs unit system
