# shellcheck shell=bash
# Chapter: a later package is installed over this one while displays watch, once as it is and once over a
# state of the first version. Sourced by installed_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

store=/var/lib/camgate/camgate.db

# The later package brings a configuration file of its own; the owner's is kept, as apt does unattended.
upgrade_to() {
	apt_run -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install --allow-downgrades \
		"$1"
}

a_wall_watches_before_the_upgrade() {
	displays "$work/displays.before"
	printf '\n[hub]\nlinger = 3\n' >>/etc/camgate/camgate.conf
	camgate check-config && watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0
}

an_upgrade_keeps_pairings_the_camera_and_who_watches() {
	local before since
	before=$(lives wall)
	since=$(now_ms)
	upgrade_to /test/later.deb && dpkg -s camgate | grep '^Version: .*\.1$' || return 1
	live_within 60 wall "$before" "upgrade to picture" "$since" || return 1
	within 20 all_up && displays "$work/displays.after" &&
		cmp "$work/displays.before" "$work/displays.after" && nothing_foreign wall
}

all_up() {
	systemctl is-active camgate-web.socket "${roles[@]}"
}

an_upgrade_keeps_the_configuration_that_the_owner_changed() {
	grep -qx 'linger = 3' /etc/camgate/camgate.conf &&
		! grep -q 'of the later package' /etc/camgate/camgate.conf
}

# Its state is what the first version would have left.
an_upgrade_from_the_first_version_of_the_state_keeps_everything() {
	local before
	before=$(lives wall)
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	mkdir -p "$run/old" && rm -f "$run/old/"* && cp "$store" "$run/old/today.db" || return 1
	[ ! -e "$store-wal" ] || cp "$store-wal" "$run/old/today.db-wal"
	(cd "$run/old" && sqlite3 -bail old.db </test/store_v1.sql) || return 1
	rm -f "$store" "$store-wal" && cat "$run/old/old.db" >"$store" &&
		chown camgate-keeper:camgate-keeper "$store" && chmod 600 "$store" || return 1
	[ "$(sqlite3 "$store" "PRAGMA user_version")" = 1 ] || return 1
	upgrade_to /test/camgate.deb && upgrade_to /test/later.deb || return 1
	live_within 60 wall "$before" && within 20 all_up && displays "$work/displays.after" &&
		cmp "$work/displays.before" "$work/displays.after" && camera_is standing known &&
		nothing_foreign wall
}

the_wall_saw_nothing_wrong_of_the_upgrades() {
	watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
upgrade_chapter=(
	a_display_that_is_suspended_is_dark_at_once_and_no_other
	a_wall_watches_before_the_upgrade
	an_upgrade_keeps_pairings_the_camera_and_who_watches
	an_upgrade_keeps_the_configuration_that_the_owner_changed
	it_stays_suspended_over_an_upgrade
	once_resumed_it_is_live_again_by_itself
	an_upgrade_from_the_first_version_of_the_state_keeps_everything
	the_wall_saw_nothing_wrong_of_the_upgrades
)
