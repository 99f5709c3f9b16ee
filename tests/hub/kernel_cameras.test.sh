#!/bin/bash
# Real kernel cameras in a virtual machine: see run.sh and inside.sh.
set -euo pipefail
# shellcheck source=tests/hub/package.sh
. "$(dirname "$0")/package.sh"
exec "$here/run.sh" -b "$programs"
