/*
 * OpenSSL's sealing, signing and digests, as callers in other objects reach them: 0, and nothing
 * written. libcrypto's calls of its own are bound inside it and do not come here; libssl's do.
 */
#include "preload.h"

#include <openssl/evp.h>

EXPORT int EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *ret_size,
	const unsigned char *in, int size)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *,
		int))next_of(&next, "EVP_EncryptUpdate"))(context, out, ret_size, in, size);
}

EXPORT int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *ret_size)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_CIPHER_CTX *, unsigned char *, int *))next_of(
		&next, "EVP_EncryptFinal_ex"))(context, out, ret_size);
}

EXPORT int EVP_DigestSignFinal(EVP_MD_CTX *context, unsigned char *out, size_t *ret_size)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_MD_CTX *, unsigned char *, size_t *))next_of(
		&next, "EVP_DigestSignFinal"))(context, out, ret_size);
}

EXPORT int EVP_DigestVerifyFinal(EVP_MD_CTX *context, const unsigned char *signature, size_t size)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_MD_CTX *, const unsigned char *, size_t))next_of(
		&next, "EVP_DigestVerifyFinal"))(context, signature, size);
}

EXPORT int EVP_MAC_final(EVP_MAC_CTX *context, unsigned char *out, size_t *ret_size, size_t room)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_MAC_CTX *, unsigned char *, size_t *, size_t))next_of(
		&next, "EVP_MAC_final"))(context, out, ret_size, room);
}

EXPORT int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *out, unsigned int *ret_size)
{
	static _Atomic(void *) next;
	if (inject(INJECT_CRYPTO)) {
		return 0;
	}
	return ((int (*)(EVP_MD_CTX *, unsigned char *, unsigned int *))next_of(
		&next, "EVP_DigestFinal_ex"))(context, out, ret_size);
}
