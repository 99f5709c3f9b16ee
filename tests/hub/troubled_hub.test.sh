#!/bin/bash
# A hub installed as README.md says, with faults of cameras, configuration and disk: see run.sh and
# troubled_hub.sh.
set -euo pipefail
# shellcheck source=tests/hub/package.sh
. "$(dirname "$0")/package.sh"

HUB_TIMEOUT=${HUB_TIMEOUT:-1500} exec "$here/run.sh" -b "$programs" -f "$deb" -f "$root/README.md" troubled_hub.sh
