/*
 * A certificate and its key that the owner of the hub configured: read from files and checked as a
 * TLS server would use them, so that what the keeper hands to the web role works there.
 *
 * Functions that return a negative errno or 1 leave a sentence in problem that names the file and
 * says what to do.
 */
#ifndef CAMGATE_TLS_FILES_H
#define CAMGATE_TLS_FILES_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_FILES_MAX_BYTES = 16 << 10, TLS_FILES_PROBLEM_BYTES = 768 };

struct tls_files {
	uint8_t *certificate_pem; /* chain, leaf first */
	size_t certificate_pem_size;
	char *key_pem; /* in the secure heap */
	size_t key_pem_size;
};

/* Where a configured text leads: itself, or without a slash that file in $CREDENTIALS_DIRECTORY,
 * where systemd puts LoadCredential=. 0, -ENOENT without that directory, -ENAMETOOLONG. */
int tls_files_path(const char *configured, char ret[static PATH_MAX],
	char problem[static TLS_FILES_PROBLEM_BYTES]);

/* certificate, key: paths. now_s: wall clock. name: the hub's configured host name, or NULL.
 * 0; 1 if it can be used but browsers will complain (ended, not begun, other name); -errno, with
 * *ret untouched. */
int tls_files_read(const char *certificate, const char *key, int64_t now_s, const char *name,
	struct tls_files *ret, char problem[static TLS_FILES_PROBLEM_BYTES]);
/* Wipes the key. Accepts a zeroed one. */
void tls_files_finish(struct tls_files *t);

#endif
