#include "leash.h"
#include "ipc.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int arm(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETSIG, SIGKILL) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 ||
		fcntl(fd, F_SETFL, flags | O_ASYNC) < 0) {
		return -errno;
	}
	return 0;
}

int leash_make(void)
{
	int ends[2];
	int r;

	/* Datagrams, because the end of a stream would count as an arrival. */
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0) {
		return -errno;
	}
	r = arm(ends[0]);
	if (r < 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return r;
	}
	return ends[1];
}

void leash_give(int keeper)
{
	static const uint8_t message[] = {IPC_LEASH};
	int fd = leash_make();
	int r = fd < 0 ? fd : ipc_send(keeper, message, sizeof message, &fd, 1);

	if (fd >= 0) {
		(void)close(fd);
	}
	if (r < 0) {
		log_warning(
			"the keeper can end this process only if it may kill it: %s", strerror(-r));
	}
}

int leash_pull(int fd)
{
	return send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
