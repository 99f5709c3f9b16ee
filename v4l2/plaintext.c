#include "plaintext.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int plaintext_init(struct plaintext *p, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED) {
		return -errno;
	}
	(void)madvise(data, size, MADV_DONTDUMP);
	(void)madvise(data, size, MADV_WIPEONFORK);
	*p = (struct plaintext){
		.data = data,
		.size = size,
		/* On fault: an encoder must be given far more than it ever writes. */
		.locked = mlock2(data, size, MLOCK_ONFAULT) == 0,
	};
	return 0;
}

void plaintext_wipe(struct plaintext *p)
{
	if (p->used > 0) {
		explicit_bzero(p->data, p->used);
	}
	p->used = 0;
}

void plaintext_finish(struct plaintext *p)
{
	if (!p->data) {
		return;
	}
	/* Pages that were never touched need no wiping, but which those are only the kernel knows;
	 * it happens once, at the end. */
	explicit_bzero(p->data, p->size);
	munmap(p->data, p->size);
	*p = (struct plaintext){0};
}
