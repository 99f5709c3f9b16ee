#!/bin/bash
# The roles as an installed hub has them, without systemd: three users of their own, the web role with
# a socket that was opened for it and a network of its own with nothing in it. Prints TAP. The users
# live in a copy of /etc/passwd that only this test sees.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
if [ "$(id -u)" -ne 0 ] || ! unshare -mn true 2>/dev/null || ! command -v systemd-socket-activate >/dev/null; then
	skip_all "the_roles_work_as_users_of_their_own" "needs root, unshare and systemd-socket-activate"
fi
if [ -z "${ROLES_TEST_INSIDE:-}" ]; then
	ROLES_TEST_INSIDE=yes exec unshare -m --propagation private "$0"
fi

camgate=${CAMGATE:-$root/build/camgate}
display=$(dirname "$camgate")/tests/integration/display
work=$(mktemp -d)
run=$work/run
port=$((20000 + RANDOM % 20000))
tap_begin "$work/*.log"
pids=()

# shellcheck disable=SC2317 # called by the trap
finish() {
	for pid in "${pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

# until SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

is_gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}

# as USER COMMAND...: without any privilege
as() {
	local user=$1
	shift
	RUNTIME_DIRECTORY=$run setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all \
		--bounding-set=-all --no-new-privs "$@"
}

# Replaces the shell that is to become a role, so that its pid is the role's.
exec_as() {
	local user=$1
	shift
	RUNTIME_DIRECTORY=$run exec setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all \
		--bounding-set=-all --no-new-privs "$@"
}

cp /etc/passwd /etc/group "$work"
cat >>"$work/passwd" <<-EOF
	camgate-keeper:x:64001:64001::/nonexistent:/usr/sbin/nologin
	camgate-web:x:64002:64002::/nonexistent:/usr/sbin/nologin
	camgate-camera:x:64003:64003::/nonexistent:/usr/sbin/nologin
	camgate-member:x:64004:64004::/nonexistent:/usr/sbin/nologin
	camgate-stranger:x:64005:64005::/nonexistent:/usr/sbin/nologin
EOF
cat >>"$work/group" <<-EOF
	camgate-keeper:x:64001:
	camgate-web:x:64002:camgate-keeper
	camgate-camera:x:64003:camgate-keeper
	camgate-member:x:64004:
	camgate-stranger:x:64005:
	camgate:x:64006:camgate-keeper,camgate-member
EOF
mount --bind "$work/passwd" /etc/passwd && mount --bind "$work/group" /etc/group || exit 1
chmod 755 "$work"
install -d -m 755 -o camgate-keeper -g camgate-keeper "$run"
install -d -m 700 -o camgate-keeper -g camgate-keeper "$work/state"
# A build directory that only root may enter is none that a role could be started from.
install -m 755 "$camgate" "$work/camgate"
camgate=$work/camgate

(exec_as camgate-keeper "$camgate" keeper --state "$work/state") >"$work/keeper.log" 2>&1 &
pids+=($!)
until_true 10 grep -q ready "$work/keeper.log"
check $? "the_keeper_starts_as_its_own_user"
[ "$(stat -c '%A %U %G' "$run/camera" "$run/web" "$run/admin" | xargs)" = \
	"srw-rw---- camgate-keeper camgate-camera srw-rw---- camgate-keeper camgate-web srw-rw---- camgate-keeper camgate" ]
check $? "each_socket_is_for_one_group"

RUNTIME_DIRECTORY=$run systemd-socket-activate -l "127.0.0.1:$port" -E "RUNTIME_DIRECTORY=$run" \
	unshare -n setpriv --reuid camgate-web --regid camgate-web --init-groups --inh-caps=-all \
	--bounding-set=-all --no-new-privs "$camgate" web >"$work/web.log" 2>&1 &
pids+=($!)
(RUNTIME_DIRECTORY=$run exec unshare -n setpriv --reuid camgate-camera --regid camgate-camera \
	--init-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$camgate" camera pattern) \
	>"$work/camera.log" 2>&1 &
camera=$!
pids+=("$camera")
# The first one who comes starts it.
until_true 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
serves() {
	RUNTIME_DIRECTORY=$run "$camgate" status --json | grep -q '"running": true'
}
until_true 10 serves
check $? "the_web_role_takes_the_socket_that_was_opened_for_it"

has_camera() {
	as camgate-member "$camgate" status | grep -q 'Test camera'
}
until_true 10 has_camera
as camgate-member "$camgate" status >"$work/member.log" 2>&1 && grep -q 'Test camera' "$work/member.log" &&
	as camgate-member "$camgate" cameras >"$work/member.log" 2>&1 && grep -q 'Test camera' "$work/member.log" &&
	as camgate-member "$camgate" displays >"$work/member.log" 2>&1 && ! grep -q 'permission' "$work/member.log"
check $? "a_member_of_the_group_may_read_status_cameras_and_displays"

# Complete commands, so that it is only the permission that they lack.
while read -r words; do
	# shellcheck disable=SC2086 # several words
	as camgate-member "$camgate" $words >"$work/change.log" 2>&1
	code=$?
	sentence="permission denied: members of the group camgate may look, changes need root: sudo camgate ${words%% *} ..."
	if [ "$code" -ne 1 ] || ! grep -qF "$sentence" "$work/change.log" || [ "$(wc -l <"$work/change.log")" -ne 1 ]; then
		echo "camgate $words: exit code $code" && cat "$work/change.log"
	fi
done >"$work/changes.log" <<-EOF
	pair
	pair --owner
	name Door Gate
	grant Tablet Door
	revoke Tablet
	confirm Door
	ignore Door
EOF
[ ! -s "$work/changes.log" ]
check $? "and_is_told_for_every_change_that_it_needs_root"
as camgate-stranger "$camgate" status >"$work/status.log" 2>&1
[ $? -eq 1 ] && grep -q 'permission denied.*group camgate' "$work/status.log"
check $? "others_are_told_who_may_look"
for socket in web admin; do
	as camgate-camera sh -c "[ -w '$run/$socket' ]" && echo "$socket"
done >"$work/camera-may.log"
[ ! -s "$work/camera-may.log" ]
check $? "the_camera_role_reaches_no_socket_but_its_own"

link=$(RUNTIME_DIRECTORY=$run "$camgate" pair --owner --name Tablet 2>&1 |
	grep -o 'https://[^ ]*#pair=[A-Za-z0-9_-]*' | head -n 1)
timeout 30 "$display" --link "$link" --keys "$work/keys" --name Tablet --frames 5 --seconds 20 >"$work/display.log" 2>&1
check $? "a_display_sees_the_picture"

# Still watched when the camera hangs: what cannot answer a revoke is ended by what it gave for that.
timeout 30 "$display" --hub "https://localhost:$port" --keys "$work/keys" --seconds 20 >"$work/again.log" 2>&1 &
pids+=($!)
watched() {
	RUNTIME_DIRECTORY=$run "$camgate" cameras --json | grep -q '"watchers": 1'
}
until_true 10 watched
kill -STOP "$camera"
RUNTIME_DIRECTORY=$run "$camgate" revoke Tablet >"$work/revoke.log" 2>&1
until_true 1 is_gone "$camera"
check $? "a_camera_that_hangs_is_ended_by_a_keeper_of_another_user"

tap_end
