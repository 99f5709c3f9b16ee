#!/bin/sh
# Each fault of faults.list, planted in the product's code, is seen by the simulator: else its silence
# means nothing. FAULTS: where the simulators with the faults are.
here=$(dirname "$0")
faults=${FAULTS:-build/tests/simulation/faults}
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
tap_begin

for name in $("$here/fault.sh" --names); do
	said=$("$here/fault.sh" --run "$name" "$faults/$name")
	check $? "the_simulator_sees_$name"
	echo "$said"
done
tap_end
