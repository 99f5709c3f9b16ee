#include "display_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 4096 };

static const char begin_mark[] = "-----BEGIN";

int display_keys_generate(struct display_keys *ret)
{
	struct display_keys k = {0};
	int r = key_pair_generate(&k.sign);
	if (r == 0) {
		r = key_pair_generate(&k.kem);
	}
	if (r < 0) {
		display_keys_finish(&k);
		return r;
	}
	display_id_of(k.sign.public, k.kem.public, k.id);
	*ret = k;
	return 0;
}

void display_keys_finish(struct display_keys *keys)
{
	key_pair_finish(&keys->sign);
	key_pair_finish(&keys->kem);
	*keys = (struct display_keys){0};
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

static int parse_hub(const char *text, uint8_t out[static FINGERPRINT_BYTES])
{
	if (strncmp(text, "hub ", 4) != 0) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		int high = hex_digit(text[4 + 2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[5 + 2 * i]);
		if (low < 0) {
			return -EBADMSG;
		}
		out[i] = (uint8_t)(high << 4 | low);
	}
	return text[4 + 2 * FINGERPRINT_BYTES] == '\n' ? 0 : -EBADMSG;
}

static int parse_file(const char *text, struct display_keys *ret)
{
	struct display_keys k = {0};
	int r = parse_hub(text, k.hub);
	const char *first = r < 0 ? NULL : strstr(text, begin_mark);
	const char *second = first == NULL ? NULL : strstr(first + 1, begin_mark);
	if (second == NULL) {
		return -EBADMSG;
	}
	r = key_pair_from_pem(first, (size_t)(second - first), &k.sign);
	if (r == 0) {
		r = key_pair_from_pem(second, strlen(second), &k.kem);
	}
	if (r < 0) {
		display_keys_finish(&k);
		return r;
	}
	display_id_of(k.sign.public, k.kem.public, k.id);
	*ret = k;
	return 0;
}

int display_keys_load(const char *path, struct display_keys *ret)
{
	char text[FILE_MAX_BYTES + 1] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return -errno;
	}
	ssize_t n = read(fd, text, FILE_MAX_BYTES);
	int r = n < 0 ? -errno : parse_file(text, ret);
	close(fd);
	OPENSSL_cleanse(text, sizeof(text));
	return r;
}

static int print_file(FILE *f, const struct display_keys *keys)
{
	fputs("hub ", f);
	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		fprintf(f, "%02x", keys->hub[i]);
	}
	fputc('\n', f);
	const struct key_pair *pairs[] = {&keys->sign, &keys->kem};
	for (size_t i = 0; i < 2; i++) {
		char *pem;
		size_t size;
		int r = key_pair_to_pem(pairs[i], &pem, &size);
		if (r < 0) {
			return r;
		}
		fwrite(pem, 1, size, f);
		OPENSSL_secure_clear_free(pem, size);
	}
	return fflush(f) != 0 || fsync(fileno(f)) < 0 ? -errno : 0;
}

int display_keys_save(const char *path, const struct display_keys *keys)
{
	char draft[4096];
	int n = snprintf(draft, sizeof(draft), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(draft)) {
		return -ENAMETOOLONG;
	}
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL) {
		int r = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return r;
	}
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the keys in a stdio buffer */
	int r = print_file(f, keys);
	fclose(f);
	if (r == 0 && rename(draft, path) < 0) {
		r = -errno;
	}
	if (r < 0) {
		unlink(draft);
	}
	return r;
}
