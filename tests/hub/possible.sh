#!/bin/sh
# The virtual hub is a Debian 12 machine for x86 that runs the camgate built here, so this must be one
# too. Says why not, and fails, where it is another.
# shellcheck source=/dev/null
. /etc/os-release
if [ "$(uname -m)" != x86_64 ] || [ "${VERSION_CODENAME:-}" != bookworm ]; then
	echo "the virtual hub runs what was built on Debian 12 for x86_64; this is ${PRETTY_NAME:-another system}" \
		"on $(uname -m)"
	exit 1
fi
