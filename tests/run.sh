#!/bin/sh
# Runs test programs and says plainly how it went.
#
#   tests/run.sh [--title TEXT] PROGRAM...          prints one line per program, and of what failed all but what passed
#   tests/run.sh --total [STATUS]                   adds up all runs since --reset, for the last line;
#                                                   STATUS is make's: what it could not build or start
#                                                   counts as one failed test when no other did
#   tests/run.sh --reset
#
# A program prints TAP (cmocka and node do when asked) or nothing of the kind: then it counts as one
# test, passed with exit code 0, skipped with 77. A name ending in .mjs is run by node. A program that
# ends badly without naming a failed test counts as one failed test. JOBS programs run side by side.
# TIMEOUT is in seconds, per program, and only for one that hangs.
set -u

results=${RESULTS:-build/test-results}
timeout=${TIMEOUT:-600}
jobs=${JOBS:-2}

tap_count() {
	# Prints "passed failed skipped" of a TAP text. node adds up itself, groups and all; cmocka does not.
	awk '
		/^# pass / { passed = $3; node = 1 }
		/^# (fail|cancelled) / { failed = node_failed += $3; node = 1 }
		/^# (skipped|todo) / { skipped = node_skipped += $3; node = 1 }
		node { next }
		/^not ok .*# (SKIP|TODO)/ { skipped++; next }
		/^ok .*# (SKIP|TODO)/ { skipped++; next }
		/^not ok / { failed++; next }
		/^ok / { passed++; next }
		END { printf "%d %d %d\n", passed, failed, skipped }
	' "$1"
}

run_one() {
	program=$1
	log=$results/$(printf '%s' "$title $program" | tr -c 'A-Za-z0-9._-' '_').log
	start=$(date +%s)
	case $program in
	*.mjs)
		timeout -k 5 "$timeout" node --test --test-reporter=tap "$program" >"$log" 2>&1 </dev/null
		;;
	*)
		CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$timeout" "$program" >"$log" 2>&1 </dev/null
		;;
	esac
	code=$?
	seconds=$(($(date +%s) - start))
	counts=$(tap_count "$log")
	passed=${counts%% *}
	skipped=${counts##* }
	failed=${counts#* }
	failed=${failed%% *}
	if [ $((passed + failed + skipped)) -eq 0 ]; then
		case $code in
		0) passed=1 ;;
		77) skipped=1 ;;
		esac
	fi
	if [ "$code" -ne 0 ] && [ "$code" -ne 77 ] && [ "$failed" -eq 0 ]; then
		failed=1
	fi
	printf '%s %s %s\n' "$passed" "$failed" "$skipped" >>"$results/counts"
	text="$passed passed"
	[ "$skipped" -gt 0 ] && text="$text, $skipped skipped"
	if [ "$failed" -gt 0 ]; then
		[ "$code" -eq 124 ] && text="$text, not done after $timeout s"
		# One write, so that programs side by side do not mix their words.
		printf '  FAILED %-44s %s, %s failed (exit code %s)\n%s\n' "${program##*/}" "$text" "$failed" \
			"$code" "$(sed '/^ok /d; s/^/         /' "$log")"
		return 1
	fi
	printf '  ok     %-44s %s, %s s\n' "${program##*/}" "$text" "$seconds"
	if [ "$skipped" -gt 0 ]; then
		grep -h '# SKIP' "$log" | sed 's/^[a-z ]*[0-9]* */           /'
	fi
	return 0
}

case ${1:-} in
--reset)
	rm -rf "$results"
	exit 0
	;;
--total)
	mkdir -p "$results"
	touch "$results/counts"
	awk -v status="${2:-0}" '{ p += $1; f += $2; s += $3 }
		END {
			if (status != 0 && f == 0) {
				print "  FAILED something could not be built or started: see above"
				f = 1
			}
			printf "%d passed, %d failed, %d skipped\n", p, f, s
			exit f > 0 || p == 0
		}' "$results/counts"
	exit $?
	;;
--one)
	title=$2
	run_one "$3"
	exit $?
	;;
esac

title=tests
if [ "${1:-}" = --title ]; then
	title=$2
	shift 2
fi
mkdir -p "$results"
echo "$title"
[ $# -eq 0 ] && exit 0
export RESULTS="$results" TIMEOUT="$timeout"
printf '%s\0' "$@" | xargs -0 -P "$jobs" -I{} sh "$0" --one "$title" {}
