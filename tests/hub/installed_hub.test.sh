#!/bin/bash
# The package, built in a clean chroot and installed with apt in the virtual hub: see run.sh and
# installed_hub.sh.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
"$here/possible.sh" | sed 's/^/# SKIP /' | grep . && exit 77
build=$(dirname "${CAMGATE:-$root/build/camgate}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make -s -C "$root" BUILD="$build" deb SUITE=bookworm HOST=amd64 | sed 's/^/# /'
deb=$(echo "$build"/deb/camgate_*+deb12_amd64.deb)

# The same with a later version, so that there is something to upgrade to.
dpkg-deb -R "$deb" "$work/later"
sed -i 's/^Version: .*/&.1/' "$work/later/DEBIAN/control"
dpkg-deb -Zgzip -z1 --root-owner-group -b "$work/later" "$work/later.deb" >/dev/null
cp "$deb" "$work/camgate.deb"

HUB_TIMEOUT=${HUB_TIMEOUT:-600} "$here/run.sh" -b "$build" -r -f "$work/camgate.deb" \
	-f "$work/later.deb" installed_hub.sh
