#!/bin/sh
# DELIVERIES deliveries, by seeds that are always the same, and a tenth as many of a seed that was never
# there before. SIMULATE: the simulator.
set -u
simulate=${SIMULATE:-build/tests/simulation/simulate}
deliveries=${DELIVERIES:-1e5}
fresh=$(od -An -N5 -tu8 /dev/urandom | tr -d ' ')
failed=0

check() {
	number=$1
	name=$2
	shift 2
	if said=$("$simulate" "$@" 2>&1); then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=1
	fi
	printf '%s\n' "$said" | sed 's/^/# /'
}

echo 1..4
check 1 every_property_holds_after_every_step --total "$deliveries"
echo "# a fresh seed: $fresh"
check 2 every_property_holds_for_a_fresh_seed --seed "$fresh" --total \
	"$(awk "BEGIN { printf \"%d\", $deliveries / 10 }")"
first=$("$simulate" --seed "$fresh" --deliveries 500 --trace | cksum)
second=$("$simulate" --seed "$fresh" --deliveries 500 --trace | cksum)
if [ "$first" = "$second" ]; then
	echo "ok 3 - a_seed_replays_exactly"
else
	echo "not ok 3 - a_seed_replays_exactly"
	echo "# seed $fresh: $first, then $second"
	failed=1
fi
check 4 every_property_holds_when_one_allocation_in_twenty_fails --allocations 20 --total \
	"$(awk "BEGIN { printf \"%d\", $deliveries / 10 }")"
exit $failed
