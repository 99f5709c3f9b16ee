#include "keeper.h"
#include "log.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char KEEPER_USER[] = "camgate-keeper";

const char *const keeper_plane_names[PLANE_COUNT] = {"camera", "web", "admin"};

static int find_user(const char *name, uid_t *ret)
{
	const struct passwd *p = getpwnam(name);

	if (p == NULL) {
		log_error("there is no user %s; systemd-sysusers makes it", name);
		return -ENOENT;
	}
	*ret = p->pw_uid;
	return 0;
}

static int find_group(const char *name, gid_t *ret)
{
	const struct group *g = getgrnam(name);

	if (g == NULL) {
		log_error("there is no group %s; systemd-sysusers makes it", name);
		return -ENOENT;
	}
	*ret = g->gr_gid;
	return 0;
}

static int find_roles(struct keeper_door *d)
{
	int r = find_user("camgate-camera", &d->user[PLANE_CAMERA]);

	if (r == 0) {
		r = find_user("camgate-web", &d->user[PLANE_WEB]);
	}
	if (r == 0) {
		r = find_group("camgate-camera", &d->group[PLANE_CAMERA]);
	}
	if (r == 0) {
		r = find_group("camgate-web", &d->group[PLANE_WEB]);
	}
	return r < 0 ? r : find_group("camgate", &d->group[PLANE_ADMIN]);
}

int keeper_door_init(struct keeper_door *d)
{
	const struct passwd *service = getpwnam(KEEPER_USER);

	*d = (struct keeper_door){.own = geteuid()};
	d->service = service != NULL && service->pw_uid == d->own;
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		d->user[i] = d->own;
		d->group[i] = (gid_t)-1;
	}
	return d->service ? find_roles(d) : 0;
}

enum keeper_right keeper_door_right(
	const struct keeper_door *d, enum keeper_plane plane, uid_t uid, bool in_group)
{
	if (uid == 0 || uid == d->own) {
		return KEEPER_MAY_ALL;
	}
	if (!d->service) {
		return KEEPER_REFUSED;
	}
	if (plane == PLANE_ADMIN) {
		return in_group ? KEEPER_MAY_READ : KEEPER_REFUSED;
	}
	return uid == d->user[plane] ? KEEPER_MAY_ALL : KEEPER_REFUSED;
}

int keeper_door_open(const struct keeper_door *d, const char *dir, int listeners[PLANE_COUNT])
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		int r = -errno;

		log_error("cannot make the socket directory %s: %s", dir, strerror(-r));
		return r;
	}
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		listeners[i] = ipc_listen_group(dir, keeper_plane_names[i], d->group[i]);
		if (listeners[i] < 0) {
			log_error("cannot listen on %s/%s: %s%s", dir, keeper_plane_names[i],
				strerror(-listeners[i]),
				listeners[i] == -EPERM ? "; is "
							 "camgate-keeper a member of the "
							 "groups of the sockets?"
						       : "");
			return listeners[i];
		}
	}
	return 0;
}
