# shellcheck shell=bash
# Chapter: configuration, good and bad, on a hub that somebody watches. Sourced by troubled_hub.sh, after
# story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work, $camera_section: story.sh

conf=/etc/camgate/camgate.conf
tls=/etc/camgate/tls

# certificate NAME: $tls/NAME.pem and $tls/NAME.key, as the keeper may read them.
certificate() {
	mkdir -p "$tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=hub" \
		-addext "subjectAltName=DNS:hub,DNS:localhost" -keyout "$tls/$1.key" -out "$tls/$1.pem" \
		>"$run/openssl.log" 2>&1 || { cat "$run/openssl.log"; return 1; }
	chgrp -R camgate-keeper "$tls"
	chmod 750 "$tls"
	chmod 640 "$tls/$1.key"
}

configure() {
	printf '%s\n' "[hub]" "$@" "${camera_section[@]}" >"$conf"
}

# Which certificate is shown at the port, as a fingerprint.
shown() {
	openssl s_client -connect localhost:8443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint
}

shows() {
	[ "$(shown)" = "$(openssl x509 -noout -fingerprint -in "$1")" ]
}

refused_with() {
	journal_since "$(cat "$run/since")" | grep -- "$1"
}

a_wall_watches_while_the_configuration_changes() {
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0
}

check_config_names_file_and_line_of_a_mistake() {
	printf '[hub]\nname = hub\nlinger = soon\n' >"$conf"
	! camgate check-config >"$run/check" && cat "$run/check" && grep -q "$conf:3: " "$run/check"
}

a_broken_configuration_does_not_touch_the_running_hub() {
	local before
	before=$(ends wall)
	systemctl reload camgate-keeper.service
	draws wall && undisturbed wall "$before" && systemctl is-active camgate-keeper.service
}

# Nothing is guessed; and once the mistake is gone, it needs no other command.
a_hub_started_with_it_says_where_and_comes_back_when_it_is_mended() {
	local before
	before=$(lives wall)
	date +%s >"$run/since"
	systemctl restart camgate-keeper.service
	within 20 refused_with "$conf:3: " || return 1
	rm "$conf"
	live_within 60 wall "$before" && nothing_foreign wall
}

a_key_of_another_certificate_is_refused_with_file_and_line() {
	certificate one && certificate two || return 1
	configure "tls_cert = $tls/one.pem" "tls_key = $tls/two.key"
	! camgate check-config >"$run/check" && cat "$run/check" && grep -q "$conf:[23]: " "$run/check" || return 1
	date +%s >"$run/since"
	systemctl restart camgate-keeper.service
	within 20 refused_with "$conf:[23]: "
}

a_certificate_of_the_owners_is_shown_once_its_key_matches() {
	local before
	before=$(lives wall)
	configure "tls_cert = $tls/one.pem" "tls_key = $tls/one.key"
	camgate check-config && live_within 60 wall "$before" && shows "$tls/one.pem"
}

a_reload_changes_the_certificate_and_drops_no_viewer() {
	local before
	before=$(ends wall)
	cp "$tls/two.pem" "$tls/one.pem" && cp "$tls/two.key" "$tls/one.key" || return 1
	! shows "$tls/one.pem" && systemctl reload camgate-keeper.service && within 10 shows "$tls/one.pem" &&
		draws wall && undisturbed wall "$before" && nothing_foreign wall
}

a_reload_with_a_key_that_does_not_match_changes_nothing() {
	local before
	before=$(ends wall)
	certificate three || return 1
	cp "$tls/three.key" "$tls/one.key"
	date +%s >"$run/since"
	systemctl reload camgate-keeper.service
	within 10 refused_with "the certificate is not changed: " && shows "$tls/two.pem" && draws wall &&
		undisturbed wall "$before"
}

# As the unit's comment says, for a key that only root may read.
a_key_that_only_root_may_read_comes_as_a_credential() {
	local before drop_in=/etc/systemd/system/camgate-keeper.service.d
	before=$(lives wall)
	install -m 600 "$tls/three.key" /root/hub.key && rm "$tls/three.key" && mkdir -p "$drop_in" || return 1
	printf '[Service]\nLoadCredential=hub.key:/root/hub.key\n' >"$drop_in/key.conf"
	configure "tls_cert = $tls/three.pem" "tls_key = hub.key"
	systemctl daemon-reload && systemctl restart camgate-keeper.service || return 1
	live_within 60 wall "$before" && shows "$tls/three.pem" && nothing_foreign wall
}

without_a_configuration_everything_is_as_before() {
	local before
	before=$(lives wall)
	rm -r "$conf" "$tls" /etc/systemd/system/camgate-keeper.service.d
	systemctl daemon-reload && systemctl restart camgate-keeper.service || return 1
	live_within 60 wall "$before" && [ -n "$(shown)" ] && camgate check-config
}

# ---- a state directory that this camgate must not touch ----

# Something that the keeper did not write.
store_tool() {
	sqlite3 /var/lib/camgate/camgate.db "$@"
}

a_state_directory_of_a_newer_version_is_refused_and_nothing_is_lost() {
	local before version
	before=$(lives wall)
	displays "$run/displays.before"
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	version=$(store_tool "PRAGMA user_version") && store_tool "PRAGMA user_version = 99" || return 1
	date +%s >"$run/since"
	systemctl start camgate.target
	within 20 refused_with "was written by a newer camgate" || return 1
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	[ "$(store_tool "PRAGMA user_version")" = 99 ] && store_tool "PRAGMA user_version = $version" || return 1
	systemctl start camgate.target
	live_within 60 wall "$before" && displays "$run/displays.after" &&
		cmp "$run/displays.before" "$run/displays.after" && nothing_foreign wall
}

the_wall_saw_nothing_wrong_of_all_the_changes() {
	watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
config_chapter=(
	a_wall_watches_while_the_configuration_changes
	check_config_names_file_and_line_of_a_mistake
	a_broken_configuration_does_not_touch_the_running_hub
	a_hub_started_with_it_says_where_and_comes_back_when_it_is_mended
	a_key_of_another_certificate_is_refused_with_file_and_line
	a_certificate_of_the_owners_is_shown_once_its_key_matches
	a_reload_changes_the_certificate_and_drops_no_viewer
	a_reload_with_a_key_that_does_not_match_changes_nothing
	a_key_that_only_root_may_read_comes_as_a_credential
	without_a_configuration_everything_is_as_before
	a_state_directory_of_a_newer_version_is_refused_and_nothing_is_lost
	the_wall_saw_nothing_wrong_of_all_the_changes
)
