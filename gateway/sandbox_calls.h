/* The system calls that each right allows. Private to the sandbox. */
#ifndef CAMGATE_SANDBOX_CALLS_H
#define CAMGATE_SANDBOX_CALLS_H

#include <linux/filter.h>

enum {
	SANDBOX_CODE_MAX = 4096, /* the kernel's BPF_MAXINSNS */
	SANDBOX_BUILD_S = 2, /* of processor time; usually it is milliseconds */
};

/* A filter as the kernel takes it. */
struct sandbox_code {
	struct sock_filter code[SANDBOX_CODE_MAX];
	unsigned short count;
};

/* Makes the filter for enum sandbox_right bits, twice. 0 or -errno, -ENOMEM when the two differ;
 * then ret holds nothing of use.
 * libseccomp without memory may also crash or never come back: the first ends the process, and so
 * does SIGPROF after SANDBOX_BUILD_S. For one thread. */
int sandbox_calls_build(unsigned int rights, struct sandbox_code *ret);

/* Makes and loads it, for all threads of the process. 0 or -errno. */
int sandbox_calls_load(unsigned int rights);

#endif
