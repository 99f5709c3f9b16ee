/*
 * A certificate and a key that the owner configured: the text up to the first NUL is the one, what
 * follows the other. What the keeper takes, the web role can use.
 */
#include "keys.h"
#include "quiet_log.h"
#include "script.h"
#include "tls_files.h"
#include "web/tls.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return secure_heap_init() < 0 ? -1 : 0;
}

/* A file that is nowhere; its path. */
static int file_of(const uint8_t *data, size_t size, char path[static 32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		abort();
	}
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	size_t first = nul ? (size_t)(nul - data) : size;
	char certificate[32], key[32], problem[TLS_FILES_PROBLEM_BYTES] = "";
	struct tls_files files = {0};
	struct tls tls = {0};
	int a, b, r;

	a = file_of(data, first, certificate);
	b = file_of(data + (nul ? first + 1 : size), nul ? size - first - 1 : 0, key);
	r = tls_files_read(certificate, key, 1700000000, "hub.local", &files, problem);
	if ((r != 0) != (problem[0] != '\0') || r > 1) {
		abort();
	}
	if (r >= 0) {
		if (tls_load(&tls, files.certificate_pem, files.certificate_pem_size,
			    (const uint8_t *)files.key_pem, files.key_pem_size) < 0) {
			abort();
		}
		tls_finish(&tls);
		tls_files_finish(&files);
	}
	close(a);
	close(b);
	return 0;
}
