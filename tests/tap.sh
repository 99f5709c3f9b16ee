# shellcheck shell=sh
# TAP (the Test Anything Protocol, which tests/run.sh reads) for test scripts in sh and bash. Sourced.
#
#   tap_begin PATTERN...      first: the files whose text is shown when a test failed. The patterns, without
#                             blanks, are expanded then: tap_begin "$work/*.log"
#   check STATUS SENTENCE     a test, by the status of what tried it: [ "$a" = "$b" ]; check $? "a_is_b"
#   skip SENTENCE REASON      a test that cannot run here
#   skip_all SENTENCE REASON  the same for the whole script, which it ends
#   tap_end                   last: prints the plan, and exits with 1 if a test failed

tap_begin() {
	tap_logs=$*
	tap_number=0
	tap_failed=0
}

check() {
	tap_number=$((tap_number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_number - $2"
		return
	fi
	echo "not ok $tap_number - $2"
	for tap_log in $tap_logs; do
		[ ! -e "$tap_log" ] || sed 's/^/# /' "$tap_log"
	done
	tap_failed=1
}

skip() {
	tap_number=$((tap_number + 1))
	echo "ok $tap_number - $1 # SKIP $2"
}

skip_all() {
	echo "ok 1 - $1 # SKIP $2"
	echo "1..1"
	exit 77
}

tap_end() {
	echo "1..$tap_number"
	exit "$tap_failed"
}
