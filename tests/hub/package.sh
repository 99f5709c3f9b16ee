#!/bin/bash
# Sourced by the tests outside of the virtual hub: which hub is meant, HUB_SUITE and HUB_ARCH (bookworm and
# amd64), and what is built for it, in a clean chroot of its suite:
#
#     $suite, $arch    for run.sh, too
#     $programs        directory for run.sh -b, with camgate out of the package and the programs beside it
#     $deb             the package
#
# Ends the test as skipped where such a hub is not possible.
# shellcheck disable=SC2034 # for those that source it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
suite=${HUB_SUITE:-bookworm}
arch=${HUB_ARCH:-amd64}
"$here/possible.sh" "$suite" "$arch" | sed 's/^/# SKIP /' | grep . && exit 77

build=$(dirname "${CAMGATE:-$root/build/camgate}")
"$root/udev/debian/build.sh" "$suite" "$arch" "$build/deb" \
	tests/integration/display tests/hub/loopfeed tests/hub/picture tests/hub/memory | sed 's/^/# /'
programs=$build/deb/$suite-$arch/programs
deb=$programs/camgate.deb
export HUB_SUITE=$suite HUB_ARCH=$arch
