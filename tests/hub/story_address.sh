# shellcheck shell=bash
# Chapter: the hub's address changes while a display of another host watches, which knows the hub by name;
# then the machine's name changes, and the port. That host is a network namespace, and its own hosts file is
# the name server. Sourced by installed_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

name_leads_to() {
	printf '127.0.0.1 localhost\n%s hub.local\n' "$1" >/etc/netns/outside/hosts
}

# The same display, once its watching in here is over.
a_display_of_another_host_finds_the_hub_by_name() {
	mkdir -p /etc/netns/outside
	name_leads_to 10.9.0.1
	ip netns add outside && ip link add lan0 type veth peer name lan1 netns outside &&
		ip addr add 10.9.0.1/24 dev lan0 && ip link set lan0 up &&
		ip -n outside addr add 10.9.0.9/24 dev lan1 && ip -n outside link set lan1 up || return 1
	ip netns exec outside /test/display --hub https://hub.local:8443 --keys "$work/wall.keys" --name wall \
		--uncoded --reconnect --seconds 3600 >"$run/wall.log" 2>&1 &
	echo $! >"$run/wall.pid"
	live_within 30 wall 0
}

# What was connected is not told: the old address is just not there any more.
after_a_change_of_address_it_is_back_by_name() {
	local before since pids
	before=$(lives wall)
	pids=$(role_pids)
	since=$(now_ms)
	ip addr del 10.9.0.1/24 dev lan0 && ip addr add 10.9.0.77/24 dev lan0 || return 1
	name_leads_to 10.9.0.77
	live_within 60 wall "$before" "change of address to picture" "$since" && nothing_foreign wall &&
		[ "$(role_pids)" = "$pids" ]
}

# ---- another name ----

certificate_names() {
	openssl s_client -connect localhost:8443 </dev/null 2>/dev/null | openssl x509 -noout -checkhost "$1" |
		grep 'does match'
}

# The keeper's unit lets it see that much of the machine.
another_name_of_the_machine_is_in_the_certificate_and_nobody_is_dropped() {
	local before
	before=$(ends wall)
	! certificate_names renamed.local && echo renamed >/proc/sys/kernel/hostname || return 1
	within 20 certificate_names renamed.local && certificate_names hub.local && draws wall || return 1
	echo hub >/proc/sys/kernel/hostname
	undisturbed wall "$before"
}

# ---- another port, by the configuration ----

conf_file=/etc/camgate/camgate.conf
told_port="sudo systemctl daemon-reload && sudo systemctl restart camgate-web.socket"

# port_is_told LINE: whether doctor's words on it have that.
port_is_told() {
	camgate doctor >"$run/doctor"
	grep -A 1 '^port ' "$run/doctor" | grep -F -- "$1"
}

generator_said() {
	journalctl -q --no-pager -o cat --since "@$(cat "$run/since")" -t camgate-generator | grep -F -- "$1"
}

# Nobody is told but the kernel's log: at boot there is no other.
a_port_that_systemd_cannot_use_is_in_the_log_and_changes_nothing() {
	cp -p "$conf_file" "$work/conf.before"
	printf '\n[hub]\nlisten = localhost:9443\n' >>"$conf_file"
	date +%s >"$run/since"
	systemctl daemon-reload && cp -p "$work/conf.before" "$conf_file" || return 1
	within 20 generator_said "listen = localhost:9443 is nothing that systemd can listen on" &&
		systemctl show -P Listen camgate-web.socket | grep -F "[::]:8443" && draws wall
}

# The hub alone restarts, which moves no port: log and doctor say what does.
a_port_in_the_configuration_is_told_until_systemd_is() {
	printf '\n[hub]\nlisten = [::]:9443\n' >>"$conf_file"
	date +%s >"$run/since"
	systemctl restart camgate-web.service
	within 20 systemctl is-active camgate-web.service && within 20 port_is_told "$told_port" &&
		journal_since "$(cat "$run/since")" | grep -F "listen = [::]:9443, but systemd listens on [::]:8443" &&
		sed -n 's/^# Another port (listen): *//p' "$conf_file" | grep -F "${told_port//sudo /}"
}

# What was said is done, as it stands there.
a_display_of_another_host_reaches_the_hub_at_that_port() {
	bash -c "${told_port//sudo /}" || return 1
	within 20 systemctl is-active camgate-web.service && ! port_is_told "$told_port" || return 1
	ip netns exec outside timeout 150 /test/display --hub https://hub.local:9443 --keys "$work/wall.keys" \
		--name wall --uncoded --frames 2 --seconds 120 >"$run/sees.log" 2>&1 || { cat "$run/sees.log"; return 1; }
	tail -n 1 "$run/sees.log"
	tail -n 1 "$run/sees.log" | grep '^summary  pictures [1-9].* foreign 0  anomalies 0 ' &&
		! ss -ltn | grep ':8443 '
}

the_port_is_back_when_the_configuration_is() {
	local before
	before=$(lives wall)
	cp -p "$work/conf.before" "$conf_file" && bash -c "${told_port//sudo /}" || return 1
	live_within 60 wall "$before" && ! ss -ltn | grep ':9443 '
}

the_display_of_the_other_host_saw_nothing_wrong() {
	watch_end wall
	ip netns del outside && ip link del lan0 2>/dev/null
	grep -q '^summary  pictures [1-9].* foreign 0  anomalies 0 ' "$run/wall.log"
}

# shellcheck disable=SC2034 # for those that source it
address_chapter=(
	a_display_of_another_host_finds_the_hub_by_name
	after_a_change_of_address_it_is_back_by_name
	another_name_of_the_machine_is_in_the_certificate_and_nobody_is_dropped
	a_port_that_systemd_cannot_use_is_in_the_log_and_changes_nothing
	a_port_in_the_configuration_is_told_until_systemd_is
	a_display_of_another_host_reaches_the_hub_at_that_port
	the_port_is_back_when_the_configuration_is
	the_display_of_the_other_host_saw_nothing_wrong
)
