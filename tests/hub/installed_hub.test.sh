#!/bin/bash
# The package, built in a clean chroot and installed with apt in the virtual hub: see run.sh and
# installed_hub.sh.
set -euo pipefail
# shellcheck source=tests/hub/package.sh
. "$(dirname "$0")/package.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same with a later version, so that there is something to upgrade to.
dpkg-deb -R "$deb" "$work/later"
sed -i 's/^Version: .*/&.1/' "$work/later/DEBIAN/control"
dpkg-deb -Zgzip -z1 --root-owner-group -b "$work/later" "$work/later.deb" >/dev/null

HUB_TIMEOUT=${HUB_TIMEOUT:-600} "$here/run.sh" -b "$programs" -r -f "$deb" -f "$work/later.deb" \
	installed_hub.sh
