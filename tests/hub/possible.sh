#!/bin/sh
# possible.sh [SUITE ARCH]: says why that virtual hub cannot be made here, and fails.
#
# Everything for it is made in systems of its suite, so any Debian will do that can run the programs of
# these systems. bookworm amd64, which every `make test` asks for, needs no more than an x86_64 Debian.
suite=${1:-bookworm}
arch=${2:-amd64}
machine=$(uname -m)
if ! command -v apt-get >/dev/null 2>&1; then
	echo "the virtual hub is made of Debian's packages, and there is no apt here"
	exit 1
fi
case $arch-$machine in
amd64-x86_64 | arm64-aarch64) exit 0 ;;
arm64-x86_64)
	if ! arch-test arm64 >/dev/null 2>&1; then
		echo "a $suite arm64 hub is made with arm64 programs, and none can run here: install" \
			"qemu-user-static, binfmt-support and arch-test, and as root:" \
			"mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc;" \
			"update-binfmts --enable qemu-aarch64"
		exit 1
	fi
	;;
*)
	echo "a virtual hub for $arch is not made on $machine"
	exit 1
	;;
esac
