#!/bin/bash
# What differs between the virtual hubs: sourced with $suite and $arch set.
# shellcheck disable=SC2034,SC2154 # for those that source it

hub_names() {
	case $suite in
	bookworm)
		debian="Debian 12"
		libraries=(libwebsockets17 libssl3 libv4l-0)
		;;
	trixie)
		debian="Debian 13"
		libraries=(libwebsockets19t64 libssl3t64 libv4l-0t64)
		;;
	*)
		echo "hub: there is no suite '$suite' here: SUITE=bookworm or SUITE=trixie" >&2
		return 2
		;;
	esac
	libraries+=(libturbojpeg0 libudev1 libsqlite3-0 libinih1 libseccomp2 libjansson4 libqrcodegen1)

	# Its test speaks through the second serial port. Emulated arm64 is slower.
	case $arch in
	amd64)
		kernel_arch=x86
		gnu_type=x86_64-linux-gnu
		qemu=(qemu-system-x86_64 -cpu Westmere)
		console=ttyS0
		test_port=ttyS1
		test_serial=(-serial chardev:test)
		patience=1
		;;
	arm64)
		kernel_arch=arm64
		gnu_type=aarch64-linux-gnu
		qemu=(qemu-system-aarch64 -M virt -cpu cortex-a72)
		console=ttyAMA0
		test_port=ttyS0
		# shellcheck disable=SC2054 # one argument
		test_serial=(-device pci-serial,chardev=test)
		patience=2
		;;
	*)
		echo "hub: there is no machine '$arch' here: ARCH=amd64 or ARCH=arm64" >&2
		return 2
		;;
	esac
}
hub_names
