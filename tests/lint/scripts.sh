#!/bin/sh
# Shell scripts and JavaScript: syntax, and what shellcheck knows.
set -u
bad=0

git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run udev/camgate-generator |
	xargs -0 shellcheck -S warning || bad=1

for file in $(git ls-files --cached --others --exclude-standard -- '*.js' '*.mjs'); do
	[ -e "$file" ] || continue
	# node takes .js for CommonJS unless told; the page's are modules.
	case $file in
	*.mjs) node --check "$file" || bad=1 ;;
	*) node --input-type=module --check <"$file" || { echo "in $file"; bad=1; } ;;
	esac
done

exit $bad
