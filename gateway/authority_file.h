/* Files of the authority: read whole, or written so that a power cut leaves the old one or the new
 * one. */
#ifndef CAMGATE_AUTHORITY_FILE_H
#define CAMGATE_AUTHORITY_FILE_H

#include <stddef.h>

enum { AUTHORITY_FILE_MAX_BYTES = 16 << 10 };

/* Into secure-heap memory, ended by NUL; the caller frees *ret with OPENSSL_secure_clear_free(*ret,
 * AUTHORITY_FILE_MAX_BYTES). -ENOENT, -EFBIG, -errno. */
int authority_file_read(const char *dir, const char *name, char **ret, size_t *ret_size);
/* Mode 0600, synced, renamed into place. 0 or -errno. */
int authority_file_write(const char *dir, const char *name, const void *data, size_t size);

#endif
