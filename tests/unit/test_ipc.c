#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ipc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The transport; the codecs are in test_ipc_message.c. */

struct pair {
	int keeper, role;
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
};

static char directory[4096];

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir)) {
		count++;
	}
	closedir(dir);
	return count;
}

static int directory_setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test_ipc.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int directory_teardown(void **state)
{
	char path[5000];

	(void)state;
	snprintf(path, sizeof(path), "%s/camera", directory);
	unlink(path);
	return rmdir(directory);
}

static int pair_setup(void **state)
{
	static struct pair p;
	pid_t pid = 0;
	uid_t uid = (uid_t)-1;
	int listener;

	if (directory_setup(state) < 0) {
		return -1;
	}
	listener = ipc_listen(directory, "camera");
	assert_true(listener >= 0);
	assert_int_equal(ipc_accept(listener, &pid, &uid), -EAGAIN);
	p.role = ipc_connect(directory, "camera");
	assert_true(p.role >= 0);
	p.keeper = ipc_accept(listener, &pid, &uid);
	assert_true(p.keeper >= 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(uid, getuid());
	close(listener);
	*state = &p;
	return 0;
}

static int pair_teardown(void **state)
{
	struct pair *p = *state;

	close(p->keeper);
	close(p->role);
	return directory_teardown(state);
}

static void ipc_sockets_are_private_and_do_not_block(void **state)
{
	struct pair *p = *state;
	char path[5000];
	struct stat st;

	snprintf(path, sizeof(path), "%s/camera", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(p->keeper, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p->role, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(p->keeper, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(p->role, F_GETFD) & FD_CLOEXEC);
}

static void ipc_keeps_messages_apart_and_in_order(void **state)
{
	struct pair *p = *state;
	const uint8_t first[] = {1, 2, 3}, second[] = {4};
	struct ipc_message m;

	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), -EAGAIN);
	assert_int_equal(ipc_send(p->role, first, sizeof(first), NULL, 0), 0);
	assert_int_equal(ipc_send(p->role, second, sizeof(second), NULL, 0), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), 0);
	assert_int_equal(m.type, 1);
	assert_int_equal(m.fields_size, 2);
	assert_int_equal(m.fields[1], 3);
	assert_int_equal(m.descriptors[0], -1);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), 0);
	assert_int_equal(m.type, 4);
	assert_int_equal(m.fields_size, 0);
}

static void ipc_passes_the_largest_message_and_no_larger(void **state)
{
	static uint8_t large[IPC_MESSAGE_MAX_BYTES + 1];
	struct pair *p = *state;
	struct ipc_message m;

	large[IPC_MESSAGE_MAX_BYTES - 1] = 9;
	assert_int_equal(ipc_send(p->role, large, IPC_MESSAGE_MAX_BYTES, NULL, 0), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), 0);
	assert_int_equal(m.fields_size, IPC_MESSAGE_MAX_BYTES - 1);
	assert_int_equal(m.fields[IPC_MESSAGE_MAX_BYTES - 2], 9);
	assert_int_equal(ipc_send(p->role, large, sizeof(large), NULL, 0), -EMSGSIZE);
	assert_int_equal(ipc_send(p->role, large, 0, NULL, 0), -EMSGSIZE);
	assert_int_equal(ipc_send(p->role, large, 1, NULL, IPC_DESCRIPTORS_MAX + 1), -EMSGSIZE);
}

static void ipc_refuses_a_datagram_that_was_cut(void **state)
{
	struct pair *p = *state;
	struct ipc_message m;

	assert_int_equal(ipc_send(p->role, (const uint8_t *)"abc", 3, &p->role, 1), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, 2, &m), -EBADMSG);
	assert_int_equal(ipc_send(p->role, (const uint8_t *)"ab", 2, NULL, 0), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, 2, &m), 0);
}

static void ipc_passes_descriptors_that_somebody_then_owns(void **state)
{
	struct pair *p = *state;
	const uint8_t type = IPC_READER;
	struct ipc_message m;
	unsigned int before;
	int pipes[2], taken;
	char byte;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	before = open_descriptors();
	assert_int_equal(ipc_send(p->role, &type, 1, pipes, 2), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), 0);
	assert_true(m.descriptors[0] >= 0 && m.descriptors[1] >= 0);
	assert_true(fcntl(m.descriptors[1], F_GETFD) & FD_CLOEXEC);
	taken = m.descriptors[1];
	m.descriptors[1] = -1;
	ipc_message_finish(&m);
	ipc_message_finish(&m);
	assert_int_equal(open_descriptors(), before + 1);
	assert_int_equal(write(taken, "x", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(taken);
	close(pipes[0]);
	close(pipes[1]);
}

/* Sends as many descriptors as no honest role does. */
static void send_descriptors(int fd, size_t size, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (char[]){"ab"}, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(fd, &m, 0), size);
}

static void ipc_closes_the_descriptors_of_messages_that_it_refuses(void **state)
{
	struct pair *p = *state;
	unsigned int before = open_descriptors();
	struct ipc_message m;

	for (size_t count = IPC_DESCRIPTORS_MAX + 1; count <= 16; count++) {
		send_descriptors(p->role, 1, count);
		assert_int_equal(
			ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), -EBADMSG);
	}
	send_descriptors(p->role, 0, 1); /* an empty datagram with luggage */
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), -EBADMSG);
	send_descriptors(p->role, 2, 1);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, 1, &m), -EBADMSG);
	assert_int_equal(open_descriptors(), before);
}

static void ipc_tells_when_the_peer_is_gone(void **state)
{
	struct pair *p = *state;
	const uint8_t type = 1;
	struct ipc_message m;

	assert_int_equal(ipc_send(p->role, &type, 1, NULL, 0), 0);
	close(p->role);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), 0);
	assert_int_equal(ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m), -ECONNRESET);
	assert_int_equal(ipc_send(p->keeper, &type, 1, NULL, 0), -EPIPE);
	p->role = dup(p->keeper); /* for the teardown */
}

static void ipc_send_says_when_the_peer_is_too_slow_and_loses_nothing(void **state)
{
	struct pair *p = *state;
	struct ipc_message m;
	uint32_t sent = 0, received = 0;
	int err = 0;

	for (; sent < 100000; sent++) {
		uint8_t data[1000] = {1, (uint8_t)(sent >> 8), (uint8_t)sent};

		err = ipc_send(p->role, data, sizeof(data), NULL, 0);
		if (err < 0) {
			break;
		}
	}
	assert_int_equal(err, -EAGAIN);
	assert_true(sent > 50);
	while (ipc_receive(p->keeper, p->buffer, sizeof(p->buffer), &m) == 0) {
		assert_int_equal(m.fields[0] << 8 | m.fields[1], received & 0xffff);
		received++;
	}
	assert_int_equal(received, sent);
}

static void ipc_listen_replaces_a_stale_socket_but_not_a_live_one(void **state)
{
	int first, second;

	(void)state;
	first = ipc_listen(directory, "camera");
	assert_true(first >= 0);
	assert_int_equal(ipc_listen(directory, "camera"), -EADDRINUSE);
	second = ipc_connect(directory, "camera");
	assert_true(second >= 0);
	close(second);
	close(first); /* leaves the file */
	assert_int_equal(ipc_connect(directory, "camera"), -ECONNREFUSED);
	first = ipc_listen(directory, "camera");
	assert_true(first >= 0);
	second = ipc_connect(directory, "camera");
	assert_true(second >= 0);
	close(second);
	close(first);
}

static void ipc_listen_leaves_a_file_that_is_no_socket(void **state)
{
	char path[5000];
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/camera", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_int_equal(ipc_listen(directory, "camera"), -EADDRINUSE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(ipc_connect(directory, "nobody"), -ENOENT);
	assert_int_equal(ipc_listen("/nowhere", "camera"), -ENOENT);
}

static void ipc_handles_paths_longer_than_a_socket_address(void **state)
{
	char deep[5000], path[5100];
	size_t base = strlen(directory);
	unsigned int before = open_descriptors();
	int listener, fd;

	(void)state;
	snprintf(deep, sizeof(deep), "%s/", directory);
	memset(deep + base + 1, 'd', 200);
	deep[base + 201] = '\0';
	assert_int_equal(mkdir(deep, 0700), 0);
	listener = ipc_listen(deep, "camera");
	assert_true(listener >= 0);
	fd = ipc_connect(deep, "camera");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ipc_listen(deep, "camera"), -EADDRINUSE);
	close(listener);
	listener = ipc_listen(deep, "camera"); /* stale: replaced here too */
	assert_true(listener >= 0);
	close(listener);
	assert_int_equal(open_descriptors(), before);
	snprintf(path, sizeof(path), "%s/camera", deep);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(deep), 0);
}

static void ipc_socket_of_a_group_is_for_its_owner_and_that_group(void **state)
{
	gid_t other = getuid() == 0 ? 12345 : getgid(); /* only root may choose any */
	char path[5000];
	struct stat st;
	int listener;

	(void)state;
	listener = ipc_listen_group(directory, "camera", other);
	assert_true(listener >= 0);
	snprintf(path, sizeof(path), "%s/camera", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(st.st_gid, other);
	assert_int_equal(st.st_uid, getuid());
	close(listener);
}

static void ipc_knows_the_groups_of_a_peer(void **state)
{
	struct pair *p = *state;
	gid_t groups[2] = {12345, 12346};
	int listener, role, keeper;
	pid_t pid;
	uid_t uid;

	assert_true(ipc_peer_in_group(p->keeper, getgid()));
	assert_false(ipc_peer_in_group(p->keeper, 12346));
	if (getuid() != 0) {
		return; /* only root may choose its groups */
	}
	assert_int_equal(setgroups(2, groups), 0);
	listener = ipc_listen(directory, "camera");
	role = ipc_connect(directory, "camera");
	keeper = ipc_accept(listener, &pid, &uid);
	assert_int_equal(setgroups(0, NULL), 0);
	assert_true(ipc_peer_in_group(keeper, 12346));
	assert_false(ipc_peer_in_group(keeper, 12347));
	close(listener);
	close(role);
	close(keeper);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
#define DIRECTORY_TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, directory_setup, directory_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(ipc_sockets_are_private_and_do_not_block),
		PAIR_TEST(ipc_keeps_messages_apart_and_in_order),
		PAIR_TEST(ipc_passes_the_largest_message_and_no_larger),
		PAIR_TEST(ipc_refuses_a_datagram_that_was_cut),
		PAIR_TEST(ipc_passes_descriptors_that_somebody_then_owns),
		PAIR_TEST(ipc_closes_the_descriptors_of_messages_that_it_refuses),
		PAIR_TEST(ipc_tells_when_the_peer_is_gone),
		PAIR_TEST(ipc_send_says_when_the_peer_is_too_slow_and_loses_nothing),
		DIRECTORY_TEST(ipc_listen_replaces_a_stale_socket_but_not_a_live_one),
		DIRECTORY_TEST(ipc_listen_leaves_a_file_that_is_no_socket),
		DIRECTORY_TEST(ipc_socket_of_a_group_is_for_its_owner_and_that_group),
		PAIR_TEST(ipc_knows_the_groups_of_a_peer),
		DIRECTORY_TEST(ipc_handles_paths_longer_than_a_socket_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
