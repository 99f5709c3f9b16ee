#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keeper.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEEPER = 901, WEB, CAMERA, SOMEBODY = 1000 };

/* The system's keeper, as camgate.sysusers makes it. */
static const struct keeper_door service = {.own = KEEPER,
	.service = true,
	.user = {[PLANE_CAMERA] = CAMERA, [PLANE_WEB] = WEB, [PLANE_ADMIN] = KEEPER},
	.group = {[PLANE_CAMERA] = 801, [PLANE_WEB] = 802, [PLANE_ADMIN] = 803}};
/* `camgate run`, by somebody. */
static const struct keeper_door own = {.own = SOMEBODY,
	.user = {SOMEBODY, SOMEBODY, SOMEBODY},
	.group = {(gid_t)-1, (gid_t)-1, (gid_t)-1}};

/* ---- the system's users and groups, as a test wants them ---- */

static struct {
	bool there; /* the package is installed, and we are its keeper */
	const char *missing;
} users;

static bool exists(const char *name)
{
	return users.there && (users.missing == NULL || strcmp(name, users.missing) != 0);
}

/* Instead of the C library's. */
struct passwd *getpwnam(const char *name)
{
	static struct passwd p;

	p.pw_uid = strcmp(name, "camgate-web") == 0      ? (uid_t)WEB
		   : strcmp(name, "camgate-camera") == 0 ? (uid_t)CAMERA
							 : geteuid();
	return exists(name) ? &p : NULL;
}

struct group *getgrnam(const char *name)
{
	static struct group g;
	char other[64];

	snprintf(other, sizeof(other), "group %s", name);
	g.gr_gid = strcmp(name, "camgate-web") == 0      ? 802
		   : strcmp(name, "camgate-camera") == 0 ? 801
							 : 803;
	return exists(other) ? &g : NULL;
}

static void the_users_of_a_service_are_the_systems(void **state)
{
	struct keeper_door door;

	(void)state;
	users.there = true;
	assert_int_equal(keeper_door_init(&door), 0);
	users.there = false;
	assert_true(door.service);
	assert_int_equal(door.own, geteuid());
	assert_int_equal(door.user[PLANE_CAMERA], CAMERA);
	assert_int_equal(door.user[PLANE_WEB], WEB);
	assert_int_equal(door.group[PLANE_CAMERA], 801);
	assert_int_equal(door.group[PLANE_WEB], 802);
	assert_int_equal(door.group[PLANE_ADMIN], 803);
}

static void a_service_without_one_of_its_users_lets_nobody_in(void **state)
{
	static const char *const needed[] = {"camgate-camera", "camgate-web",
		"group camgate-camera", "group camgate-web", "group camgate"};
	struct keeper_door door;

	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		users.there = true;
		users.missing = needed[i];
		assert_int_equal(keeper_door_init(&door), -ENOENT);
		users.there = false;
	}
}

/* ---- rights ---- */

static void root_and_the_keepers_own_user_may_everything(void **state)
{
	(void)state;
	for (enum keeper_plane p = 0; p < PLANE_COUNT; p++) {
		assert_int_equal(keeper_door_right(&service, p, 0, false), KEEPER_MAY_ALL);
		assert_int_equal(keeper_door_right(&service, p, KEEPER, false), KEEPER_MAY_ALL);
		assert_int_equal(keeper_door_right(&own, p, 0, false), KEEPER_MAY_ALL);
		assert_int_equal(keeper_door_right(&own, p, SOMEBODY, false), KEEPER_MAY_ALL);
	}
}

static void a_role_comes_in_at_its_own_socket_only(void **state)
{
	(void)state;
	assert_int_equal(keeper_door_right(&service, PLANE_CAMERA, CAMERA, true), KEEPER_MAY_ALL);
	assert_int_equal(keeper_door_right(&service, PLANE_WEB, WEB, true), KEEPER_MAY_ALL);
	assert_int_equal(keeper_door_right(&service, PLANE_CAMERA, WEB, true), KEEPER_REFUSED);
	assert_int_equal(keeper_door_right(&service, PLANE_WEB, CAMERA, true), KEEPER_REFUSED);
	assert_int_equal(keeper_door_right(&service, PLANE_ADMIN, CAMERA, false), KEEPER_REFUSED);
	assert_int_equal(keeper_door_right(&service, PLANE_ADMIN, WEB, false), KEEPER_REFUSED);
}

static void members_of_the_group_may_look_and_others_nothing(void **state)
{
	(void)state;
	assert_int_equal(keeper_door_right(&service, PLANE_ADMIN, SOMEBODY, true), KEEPER_MAY_READ);
	assert_int_equal(keeper_door_right(&service, PLANE_ADMIN, SOMEBODY, false), KEEPER_REFUSED);
	/* Being let in by the file's mode makes nobody a camera. */
	assert_int_equal(keeper_door_right(&service, PLANE_CAMERA, SOMEBODY, true), KEEPER_REFUSED);
	assert_int_equal(keeper_door_right(&service, PLANE_WEB, SOMEBODY, true), KEEPER_REFUSED);
}

static void a_gateway_that_is_no_service_is_its_users_alone(void **state)
{
	(void)state;
	for (enum keeper_plane p = 0; p < PLANE_COUNT; p++) {
		assert_int_equal(keeper_door_right(&own, p, CAMERA, true), KEEPER_REFUSED);
		assert_int_equal(keeper_door_right(&own, p, SOMEBODY + 1, true), KEEPER_REFUSED);
	}
}

static void sockets_of_a_gateway_that_is_no_service_are_private(void **state)
{
	char dir[] = "/tmp/test_door.XXXXXX", path[64];
	struct keeper_door door;
	int listeners[PLANE_COUNT] = {-1, -1, -1};
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(keeper_door_init(&door), 0);
	assert_false(door.service);
	assert_int_equal(keeper_door_open(&door, dir, listeners), 0);
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, keeper_plane_names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(unlink(path), 0);
		close(listeners[i]);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void a_socket_that_cannot_be_made_is_an_error(void **state)
{
	char dir[] = "/tmp/test_door.XXXXXX", path[64];
	struct keeper_door door;
	int listeners[PLANE_COUNT] = {-1, -1, -1};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(keeper_door_init(&door), 0);
	snprintf(path, sizeof(path), "%s/not/there", dir);
	assert_int_equal(keeper_door_open(&door, path, listeners), -ENOENT);
	/* Something else has its name. */
	snprintf(path, sizeof(path), "%s/camera", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(keeper_door_open(&door, dir, listeners) < 0);
	assert_true(listeners[PLANE_CAMERA] < 0);
	assert_int_equal(listeners[PLANE_WEB], -1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- who comes in ---- */

static struct keeper keeper;
static char sockets[32];

static int open_sockets(void **state)
{
	char path[64];

	(void)state;
	memset(&keeper, 0, sizeof(keeper));
	snprintf(sockets, sizeof(sockets), "/tmp/test_door.XXXXXX");
	assert_non_null(mkdtemp(sockets));
	keeper.epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_int_equal(keeper_door_init(&keeper.door), 0);
	assert_int_equal(keeper_door_open(&keeper.door, sockets, keeper.listeners), 0);
	/* Who is refused is refused by us, not by the file's mode. */
	assert_int_equal(chmod(sockets, 0711), 0);
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", sockets, keeper_plane_names[i]);
		assert_int_equal(chmod(path, 0666), 0);
	}
	return 0;
}

static int close_sockets(void **state)
{
	char path[64];

	(void)state;
	keeper_peers_finish(&keeper);
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", sockets, keeper_plane_names[i]);
		(void)unlink(path);
		close(keeper.listeners[i]);
	}
	close(keeper.epoll);
	return rmdir(sockets);
}

static int come_to(enum keeper_plane plane)
{
	int fd = ipc_connect(sockets, keeper_plane_names[plane]);

	assert_true(fd >= 0);
	keeper_accept(&keeper, plane);
	return fd;
}

static bool is_closed(int fd)
{
	return recv(fd, &(uint8_t){0}, 1, MSG_DONTWAIT) == 0;
}

static void a_process_of_another_user_is_closed_without_a_word(void **state)
{
	int fd;

	(void)state;
	for (enum keeper_plane p = 0; p < PLANE_COUNT; p++) {
		/* Root comes as somebody else; others find a keeper of somebody else. */
		if (geteuid() != 0) {
			keeper.door.own = geteuid() + 1;
		} else {
			assert_int_equal(seteuid(SOMEBODY), 0);
		}
		fd = ipc_connect(sockets, keeper_plane_names[p]);
		assert_int_equal(seteuid(getuid()), 0);
		assert_true(fd >= 0);
		keeper_accept(&keeper, p);
		assert_null(keeper.peers);
		assert_true(is_closed(fd));
		close(fd);
	}
}

static void members_of_the_group_come_in_and_may_change_nothing(void **state)
{
	int fd;

	(void)state;
	/* The keeper of an installed hub, and a socket of our own group. */
	keeper.door.own = geteuid() + 1;
	keeper.door.service = true;
	keeper.door.group[PLANE_ADMIN] = getegid();
	if (geteuid() == 0) {
		assert_int_equal(seteuid(SOMEBODY), 0);
	}
	fd = ipc_connect(sockets, keeper_plane_names[PLANE_ADMIN]);
	assert_int_equal(seteuid(getuid()), 0);
	assert_true(fd >= 0);
	keeper_accept(&keeper, PLANE_ADMIN);
	assert_non_null(keeper.peers);
	assert_false(keeper.peers->may_change);
	assert_false(is_closed(fd));
	close(fd);
}

static void who_comes_when_there_is_no_room_is_closed_and_commands_have_room_of_their_own(
	void **state)
{
	static int roles[KEEPER_PEERS_MAX];
	const unsigned int most = KEEPER_PEERS_MAX - KEEPER_ADMINS_MAX;
	int fd;

	(void)state;
	for (unsigned int i = 0; i < most; i++) {
		roles[i] = come_to(i % 2 == 0 ? PLANE_CAMERA : PLANE_WEB);
		assert_false(is_closed(roles[i]));
	}
	fd = come_to(PLANE_CAMERA);
	assert_true(is_closed(fd));
	close(fd);
	for (unsigned int i = most; i < KEEPER_PEERS_MAX; i++) {
		roles[i] = come_to(PLANE_ADMIN);
		assert_false(is_closed(roles[i]));
	}
	fd = come_to(PLANE_ADMIN);
	assert_true(is_closed(fd));
	close(fd);
	for (unsigned int i = 0; i < KEEPER_PEERS_MAX; i++) {
		close(roles[i]);
	}
}

#define AT_THE_DOOR(name) cmocka_unit_test_setup_teardown(name, open_sockets, close_sockets)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_users_of_a_service_are_the_systems),
		cmocka_unit_test(a_service_without_one_of_its_users_lets_nobody_in),
		cmocka_unit_test(root_and_the_keepers_own_user_may_everything),
		cmocka_unit_test(a_role_comes_in_at_its_own_socket_only),
		cmocka_unit_test(members_of_the_group_may_look_and_others_nothing),
		cmocka_unit_test(a_gateway_that_is_no_service_is_its_users_alone),
		cmocka_unit_test(sockets_of_a_gateway_that_is_no_service_are_private),
		cmocka_unit_test(a_socket_that_cannot_be_made_is_an_error),
		AT_THE_DOOR(a_process_of_another_user_is_closed_without_a_word),
		AT_THE_DOOR(members_of_the_group_come_in_and_may_change_nothing),
		AT_THE_DOOR(
			who_comes_when_there_is_no_room_is_closed_and_commands_have_room_of_their_own),
	};

	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
