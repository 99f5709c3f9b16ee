#!/bin/sh
# Breaks each promise by hand (mutants.list), in a copy of the tree, and looks whether the test fails that
# is named for it. Without the fault that test must pass. Prints a table, and TAP when asked like cmocka.
#
#   OUT=build tests/evidence/mutants.sh [NAME...]      builds in OUT/mutants, from what OUT holds already
#
# Writes OUT/mutants.json. Exit code 1 when a fault was not seen, does not fit or does not compile.
set -u

out=${OUT:-build}
list=$PWD/tests/evidence/mutants.list
dir=$out/mutants
tree=$dir/tree
seen=0
missed=0

# A field of a line; the sed script is all that comes after the fifth bar.
field() {
	printf '%s\n' "$line" | awk -F ' [|] ' -v n="$1" '{ print $n }'
}
script() {
	printf '%s\n' "$line" | sed 's/^\([^|]* | \)\{5\}//'
}

copy_tree() {
	rm -rf "$dir"
	mkdir -p "$tree/build/tests" "$tree/tests/browser" "$dir/logs"
	cp -a Makefile gateway v4l2 web udev "$tree"
	for room in tests/*; do
		case $room in
		tests/browser) cp -a tests/browser/*.* tests/browser/unit "$tree/tests/browser" ;;
		tests/fuzz) ;;
		*) cp -a "$room" "$tree/tests" ;;
		esac
	done
	# What is built already need not be built again.
	for part in gateway v4l2 web udev gateway.a v4l2.a web.a udev.a client.a camgate tests/unit \
		tests/integration tests/opix tests/oracles tests/network tests/fakecam; do
		[ -e "$out/$part" ] && cp -a "$out/$part" "$tree/build/$part"
	done
}

# Builds PROGRAM in the copy and runs it; its TAP goes to LOG. Fails when it cannot be built.
try() {
	said=$2
	made=build/tests/unit/$1
	case $1 in
	lint)
		(cd "$tree" && sh tests/lint/rooms.sh) >"$said" 2>&1
		return 0
		;;
	*.test.mjs)
		(cd "$tree" && timeout 120 node --test --test-reporter=tap "tests/browser/unit/$1") >"$said" 2>&1
		return 0
		;;
	integration/*) made="build/tests/$1 build/camgate fakecam" ;;
	esac
	# shellcheck disable=SC2086 # a list of targets
	(cd "$tree" && make -s BUILD=build $made) >"$said" 2>&1 || return 1
	(cd "$tree" && CMOCKA_MESSAGE_OUTPUT=TAP timeout 180 "${made%% *}") >"$said" 2>&1
	return 0
}

# Whether the log of a program tells of this test with this word before it ("ok", "not ok").
tells() {
	grep -Eq "^ *$1 [0-9]+ - " "$3" && grep -E "^ *$1 [0-9]+ - " "$3" | sed "s/^ *$1 [0-9]* - //" |
		grep -Fqx "$2"
}

# The lint names no test that passes: it says nothing then.
passes() {
	[ "$1" = lint ] && ! grep -Fq "$2" "$3" && return 0
	tells ok "$2" "$3"
}
fails() {
	[ "$1" = lint ] && grep -Fq "$2" "$3" && return 0
	tells "not ok" "$2" "$3"
}

plant() {
	cp -p "$tree/$file" "$dir/original"
	sed "$(script)" "$dir/original" >"$tree/$file"
	! cmp -s "$dir/original" "$tree/$file"
}

# What became of the mutant in $line: "seen", or why not.
judge() {
	log=$dir/logs/$name.log
	sound=$dir/logs/sound-$(printf '%s' "$program" | tr / _).log
	if [ ! -e "$sound" ] && ! try "$program" "$sound"; then
		echo "cannot be built without the fault"
		return
	fi
	if ! passes "$program" "$test" "$sound"; then
		echo "that test does not pass without the fault, or is not there"
		return
	fi
	if ! plant; then
		echo "no longer fits $file: write it anew"
	elif ! try "$program" "$log"; then
		echo "does not compile"
	elif fails "$program" "$test" "$log"; then
		echo seen
	else
		echo "NOT SEEN"
	fi
	cp "$dir/original" "$tree/$file" # newer than what was made of the fault
}

copy_tree
printf '%-32s %-4s %-28s %s\n' "broken by hand" "" "in" "the test that fails"
{
	grep -v '^#' "$list" | grep . >"$dir/list"
	echo '['
} >"$dir/json"
while IFS= read -r line <&3; do
	name=$(field 1)
	promise=$(field 2)
	file=$(field 3)
	program=$(field 4)
	test=$(field 5)
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	verdict=$(judge)
	if [ "$verdict" = seen ]; then
		seen=$((seen + 1))
		text="$program: $test"
	else
		missed=$((missed + 1))
		text="$verdict ($program: $test; $dir/logs/$name.log)"
	fi
	printf '%-32s %-4s %-28s %s\n' "$name" "$promise" "$file" "$text"
	[ $((seen + missed)) -gt 1 ] && echo ',' >>"$dir/json"
	printf '\t{"name": "%s", "promise": "%s", "file": "%s", "program": "%s", "test": "%s", "verdict": "%s"}' \
		"$name" "$promise" "$file" "$program" "$test" "$verdict" >>"$dir/json"
done 3<"$dir/list"
printf '\n]\n' >>"$dir/json"
mv "$dir/json" "$out/mutants.json"
if [ "${CMOCKA_MESSAGE_OUTPUT:-}" = TAP ]; then
	[ "$missed" -eq 0 ] && echo "ok 1 - a_promise_that_is_broken_fails_its_test" ||
		echo "not ok 1 - a_promise_that_is_broken_fails_its_test"
	echo 1..1
fi
echo "# $((seen + missed)) promises broken by hand, $seen seen, $missed not"
[ "$missed" -eq 0 ] && [ "$seen" -gt 0 ]
