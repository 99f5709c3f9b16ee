#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keeper.h"

#include <stdlib.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_the_keepers_own_user_may_everything),
		cmocka_unit_test(a_role_comes_in_at_its_own_socket_only),
		cmocka_unit_test(members_of_the_group_may_look_and_others_nothing),
		cmocka_unit_test(a_gateway_that_is_no_service_is_its_users_alone),
		cmocka_unit_test(sockets_of_a_gateway_that_is_no_service_are_private),
	};

	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
