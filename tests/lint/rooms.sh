#!/bin/sh
# Who may know what, and which functions nobody may call.
set -u
bad=0

# refuse TEXT PATTERN FILE...: no line of the files may match.
refuse() {
	text=$1
	pattern=$2
	shift 2
	found=$(grep -nE "$pattern" "$@" /dev/null)
	if [ -n "$found" ]; then
		printf '%s:\n%s\n' "$text" "$found"
		bad=1
	fi
}

refuse "gateway/ and udev/ know no libwebsockets and no libv4l2" \
	'#include [<"](libwebsockets|libv4l2|libv4lconvert)\.h' gateway/*.[ch] udev/*.[ch]
refuse "web/ knows no pictures and no devices" \
	'#include [<"](turbojpeg|linux/videodev2|libv4l2|libv4lconvert|sframe|hpke|store|.*v4l2/.*)\.h' web/*.[ch]
refuse "v4l2/ knows no network" \
	'#include [<"](libwebsockets|netinet/.*|arpa/.*|netdb|sys/socket|store|.*web/.*)\.h' v4l2/*.[ch]
refuse "udev/ knows no other room but the names of gateway/wire.h" \
	'#include [<"](.*web/.*|.*v4l2/.*|ring|sframe|hpke|ipc|store)\.h' udev/*.[ch]
refuse "functions that overrun, stay silent or are not for a daemon" \
	'(^|[^a-z_0-9])(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|alloca|system|popen|rand|mktemp)[ ]*\(' \
	gateway/*.c v4l2/*.c web/*.c web/client/*.c udev/*.c
refuse "a wall clock decides nothing but what people read" \
	'CLOCK_REALTIME' gateway/*.c v4l2/*.c web/*.c udev/*.c
refuse "innerHTML and its like make text into markup" \
	'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function' web/ui/*.js

exit $bad
