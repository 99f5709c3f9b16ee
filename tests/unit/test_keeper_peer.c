/* The keeper and a process at one of its sockets: what ends it, and that nobody else is touched.
 * Then what the keeper does by itself once an hour. */
#include "keeper_fixture.h"

#include "keeper.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { PEER = 5 };

static struct keeper keeper;
static struct options options;
static int other_end;

static struct keeper_peer *peer_join(enum keeper_plane plane)
{
	struct keeper_peer *p = calloc(1, sizeof(*p));
	int ends[2];

	assert_non_null(p);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	*p = (struct keeper_peer){.number = PEER,
		.plane = plane,
		.fd = ends[0],
		.pid = getpid(),
		.leash = -1,
		.next = keeper.peers};
	keeper.peers = p;
	other_end = ends[1];
	return p;
}

static int set_up(void **state)
{
	fixture_set_up(state);
	memset(&keeper, 0, sizeof(keeper));
	memset(&options, 0, sizeof(options));
	keeper.options = &options;
	keeper.registry = fixture.registry;
	keeper.epoll = -1;
	other_end = -1;
	return 0;
}

static int tear_down(void **state)
{
	keeper_peers_finish(&keeper);
	assert_null(keeper.peers);
	if (other_end >= 0) {
		close(other_end);
	}
	return fixture_tear_down(state);
}

/* ---- messages ---- */

static void a_type_that_is_not_the_planes_own_is_a_bad_message(void **state)
{
	static const struct {
		enum keeper_plane plane;
		uint8_t type;
	} cases[] = {{PLANE_CAMERA, IPC_WEB_HELLO}, {PLANE_CAMERA, 0xff},
		{PLANE_WEB, IPC_CAMERA_HELLO}, {PLANE_WEB, 0xff}, {PLANE_COUNT, IPC_WEB_HELLO}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct keeper_peer p = {.number = PEER, .plane = cases[i].plane, .leash = -1};
		struct ipc_message m = {.type = cases[i].type, .descriptors = {-1, -1}};

		assert_int_equal(keeper_dispatch(&keeper, &p, &m), -EBADMSG);
	}
}

static void a_message_without_its_descriptors_or_with_too_much_is_a_bad_one(void **state)
{
	static const uint8_t field[] = {0};
	struct keeper_peer p = {.number = PEER, .plane = PLANE_CAMERA, .leash = -1};
	struct ipc_message leash = {.type = IPC_LEASH, .descriptors = {-1, -1}};
	struct ipc_message due = {.type = IPC_ROTATION_DUE,
		.fields = field,
		.fields_size = sizeof(field),
		.descriptors = {-1, -1}};
	struct ipc_message m = {.descriptors = {-1, -1}};
	const struct ipc_reader reader = {.reader = 1};
	const struct ipc_camera_hello hello = {.kind = IPC_CAMERA_DEVICE,
		.width = 64,
		.height = 64,
		.frame_interval_us = 33333,
		.frame_max_bytes = 1000,
		.source = "/dev/video0"};
	uint8_t bytes[IPC_MESSAGE_MAX_BYTES];
	ssize_t size;

	(void)state;
	assert_int_equal(keeper_dispatch(&keeper, &p, &leash), -EBADMSG);
	assert_int_equal(keeper_dispatch(&keeper, &p, &due), -EBADMSG);
	size = ipc_encode_reader(IPC_READER, &reader, bytes, sizeof(bytes));
	assert_true(size > 0);
	m.type = bytes[0];
	m.fields = bytes + 1;
	m.fields_size = (size_t)size - 1;
	assert_int_equal(keeper_dispatch(&keeper, &p, &m), -EBADMSG);
	size = ipc_encode_camera_hello(&hello, bytes, sizeof(bytes));
	assert_true(size > 0);
	m.type = bytes[0];
	m.fields_size = (size_t)size - 1;
	assert_int_equal(keeper_dispatch(&keeper, &p, &m), -EBADMSG);
}

static void a_ring_of_one_descriptor_and_a_second_leash_are_bad_messages(void **state)
{
	struct keeper_peer *p = peer_join(PLANE_CAMERA);
	const struct ipc_reader reader = {.reader = 1};
	uint8_t bytes[IPC_MESSAGE_MAX_BYTES];
	ssize_t size = ipc_encode_reader(IPC_READER, &reader, bytes, sizeof(bytes));
	struct ipc_message m = {.fields = bytes + 1, .descriptors = {-1, -1}};
	struct ipc_message leash = {.type = IPC_LEASH, .descriptors = {-1, -1}};

	(void)state;
	assert_true(size > 0);
	m.type = bytes[0];
	m.fields_size = (size_t)size - 1;
	m.descriptors[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(keeper_dispatch(&keeper, p, &m), -EBADMSG);
	/* The keeper takes the first leash; the other is the message's. */
	leash.descriptors[0] = m.descriptors[0];
	assert_int_equal(keeper_dispatch(&keeper, p, &leash), 0);
	assert_int_equal(leash.descriptors[0], -1);
	leash.descriptors[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(keeper_dispatch(&keeper, p, &leash), -EBADMSG);
	assert_int_equal(p->leash, m.descriptors[0]);
	ipc_message_finish(&leash);
}

static void a_body_that_cannot_be_is_a_bad_message_whatever_its_type(void **state)
{
	static const uint8_t field[] = {0xff, 0xff, 0xff, 0xff, 0xff};
	unsigned int refused = 0;

	(void)state;
	for (enum keeper_plane plane = PLANE_CAMERA; plane <= PLANE_WEB; plane++) {
		for (unsigned int type = 0; type <= 0xff; type++) {
			struct keeper_peer p = {.number = PEER, .plane = plane, .leash = -1};
			struct ipc_message m = {.type = (uint8_t)type,
				.fields = field,
				.fields_size = sizeof(field),
				.descriptors = {-1, -1}};

			assert_int_equal(keeper_dispatch(&keeper, &p, &m), -EBADMSG);
			refused++;
		}
	}
	assert_int_equal(refused, 512);
	assert_int_equal(fixture.sent_count, 0);
}

static void a_camera_whose_device_is_none_is_turned_away_and_told_why(void **state)
{
	const struct ipc_camera_hello hello = {.kind = IPC_CAMERA_DEVICE,
		.width = 64,
		.height = 64,
		.frame_interval_us = 33333,
		.frame_max_bytes = 1000,
		.source = "/dev/video0"};
	struct keeper_peer *p = peer_join(PLANE_CAMERA);
	uint8_t bytes[IPC_MESSAGE_MAX_BYTES], heard[IPC_MESSAGE_MAX_BYTES];
	ssize_t size = ipc_encode_camera_hello(&hello, bytes, sizeof(bytes));
	struct ipc_message m = {.descriptors = {-1, -1}};
	struct ipc_turned_away away;

	(void)state;
	assert_true(size > 0);
	m.type = bytes[0];
	m.fields = bytes + 1;
	m.fields_size = (size_t)size - 1;
	m.descriptors[0] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(m.descriptors[0] >= 0);
	assert_int_equal(keeper_dispatch(&keeper, p, &m), 0);
	ipc_message_finish(&m);
	assert_true(p->doomed);
	assert_false(p->kill);
	assert_int_equal(ipc_receive(other_end, heard, sizeof(heard), &m), 0);
	assert_int_equal(m.type, IPC_TURNED_AWAY);
	assert_int_equal(ipc_parse_turned_away(&m, &away), 0);
	ipc_message_finish(&m);
}

static void a_bad_message_ends_the_connection_and_kills_nobody(void **state)
{
	struct keeper_peer *p = peer_join(PLANE_WEB);
	static const uint8_t nonsense[] = {0xff, 1, 2, 3};

	(void)state;
	assert_int_equal(send(other_end, nonsense, sizeof(nonsense), 0), sizeof(nonsense));
	keeper_peer_read(&keeper, p);
	assert_true(p->doomed);
	assert_false(p->kill);
	keeper_reap(&keeper);
	assert_null(keeper.peers);
	/* It hears nothing more, and neither does it matter. */
	keeper_send(&keeper, PEER, nonsense, sizeof(nonsense), NULL, 0);
	keeper_reply(&keeper, PEER, "x", 1);
	assert_int_equal(recv(other_end, &(uint8_t){0}, 1, MSG_DONTWAIT), 0);
}

static void an_admin_that_is_gone_is_ended_by_its_reply(void **state)
{
	struct keeper_peer *p = peer_join(PLANE_ADMIN);

	(void)state;
	close(other_end);
	other_end = -1;
	keeper_reply(&keeper, PEER, "{}", 2);
	assert_true(p->doomed);
	assert_false(p->kill);
}

static void an_admin_that_is_gone_is_ended_and_not_killed(void **state)
{
	struct keeper_peer *p = peer_join(PLANE_ADMIN);

	(void)state;
	close(other_end);
	other_end = -1;
	keeper_send(&keeper, PEER, "{}", 2, NULL, 0);
	assert_true(p->doomed);
	assert_false(p->kill);
	/* What is said to it now changes nothing. */
	keeper_reply(&keeper, PEER, "{}", 2);
	assert_true(p->doomed);
}

static void who_talks_without_end_is_heard_in_turns(void **state)
{
	static const uint8_t due[] = {IPC_ROTATION_DUE};
	struct keeper_peer *p = peer_join(PLANE_CAMERA);
	struct ipc_message m;
	uint8_t bytes[16];

	(void)state;
	for (int i = 0; i <= KEEPER_BURST; i++) {
		assert_int_equal(send(other_end, due, sizeof(due), 0), sizeof(due));
	}
	keeper_peer_read(&keeper, p);
	assert_false(p->doomed);
	/* The last is still there. */
	assert_int_equal(ipc_receive(p->fd, bytes, sizeof(bytes), &m), 0);
	assert_int_equal(ipc_receive(p->fd, bytes, sizeof(bytes), &m), -EAGAIN);
}

static void a_process_that_does_not_read_is_killed(void **state)
{
	struct keeper_peer *p = peer_join(PLANE_WEB);
	static const uint8_t bytes[4096] = {1};
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(30); /* whoever waits for a kill that never comes gets this signal instead */
		for (;;) {
			pause();
		}
	}
	p->pid = pid;
	for (unsigned int n = 0; n < 100000 && !p->doomed; n++) {
		keeper_send(&keeper, PEER, bytes, sizeof(bytes), NULL, 0);
	}
	assert_true(p->doomed && p->kill);
	keeper_reap(&keeper);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- once an hour ---- */

static int64_t count_entries(void)
{
	sqlite3_stmt *count = NULL;
	int64_t result;

	assert_int_equal(
		sqlite3_prepare_v2(keeper.store.db, "SELECT count(*) FROM audit", -1, &count, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(count), SQLITE_ROW);
	result = sqlite3_column_int64(count, 0);
	sqlite3_finalize(count);
	return result;
}

static void a_record_is_shortened_unless_the_clock_was_set(void **state)
{
	const struct audit_event e = {.kind = AUDIT_GRANTED};
	struct store_fixture files;
	uint64_t now_us;

	(void)state;
	store_fixture_init(&files);
	keeper.store = files.store;
	options.config.record_days = 1;
	options.config.record_size_mib = 1;
	keeper_record_init(&keeper);
	assert_int_equal(keeper.store.record_entries_max, 1024 * 1024 / (int64_t)AUDIT_ENTRY_BYTES);
	keeper.store.record_entries_max = 2;
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(audit_note(&keeper.store, &e), 0);
	}
	now_us = keeper.prune_us;
	keeper_record_tick(&keeper, now_us - 1);
	assert_int_equal(count_entries(), 5);
	/* An hour of ours passed and none of the wall clock's: it was set back. */
	keeper_record_tick(&keeper, now_us);
	assert_int_equal(count_entries(), 5);
	keeper.prune_us = 0;
	assert_int_equal(
		sqlite3_exec(keeper.store.db, "PRAGMA query_only = 1", NULL, NULL, NULL), 0);
	keeper_record_tick(&keeper, now_us);
	assert_int_equal(count_entries(), 5);
	assert_int_equal(
		sqlite3_exec(keeper.store.db, "PRAGMA query_only = 0", NULL, NULL, NULL), 0);
	/* It is tried again, and then there is nothing more to be done. */
	for (int i = 0; i < 2; i++) {
		keeper.prune_us = 0;
		keeper_record_tick(&keeper, now_us);
		assert_int_equal(count_entries(), 2);
	}
	files.store = keeper.store;
	store_fixture_finish(&files);
}

static void a_reload_without_a_certificate_changes_nothing(void **state)
{
	(void)state;
	keeper_certificate_reload(&keeper);
	assert_false(keeper.certificate.configured);
	assert_int_equal(fixture.sent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_type_that_is_not_the_planes_own_is_a_bad_message),
		TEST(a_message_without_its_descriptors_or_with_too_much_is_a_bad_one),
		TEST(a_ring_of_one_descriptor_and_a_second_leash_are_bad_messages),
		TEST(a_body_that_cannot_be_is_a_bad_message_whatever_its_type),
		TEST(a_camera_whose_device_is_none_is_turned_away_and_told_why),
		TEST(a_bad_message_ends_the_connection_and_kills_nobody),
		TEST(an_admin_that_is_gone_is_ended_by_its_reply),
		TEST(an_admin_that_is_gone_is_ended_and_not_killed),
		TEST(who_talks_without_end_is_heard_in_turns),
		TEST(a_process_that_does_not_read_is_killed),
		TEST(a_record_is_shortened_unless_the_clock_was_set),
		TEST(a_reload_without_a_certificate_changes_nothing),
	};

	return cmocka_run_group_tests_name("keeper and its peers", tests, NULL, NULL);
}
