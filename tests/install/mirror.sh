#!/bin/sh
# Prints the mirror that this machine itself gets Debian from, for the systems that are made here.
set -eu
# shellcheck disable=SC2016 # apt's own variables
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 'Created-By: Packages' | head -n 1)
if [ -z "$mirror" ]; then
	echo "mirror.sh: apt knows no Debian mirror here; run 'apt-get update', or name one (HUB_MIRROR, DEB_MIRROR)" >&2
	exit 1
fi
echo "${mirror%/}"
