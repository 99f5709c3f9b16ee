#include "floor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VIEWERS_MAX = 256, WRITE_BYTES = 16 << 10 };

struct result {
	double cpu_us;
	unsigned long frames;
};

static bool certify(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	bool ok = key != NULL && cert != NULL && X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		  X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) &&
		  X509_sign(cert, key, EVP_sha256()) > 0 &&
		  SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok;
}

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool accept_viewers(int listener, SSL **viewers, unsigned int count)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL || !certify(ctx) || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) ||
		!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256")) {
		return false;
	}
	for (unsigned int i = 0; i < count; i++) {
		int fd = accept(listener, NULL, NULL);
		int on = 1;
		viewers[i] = SSL_new(ctx);
		if (fd < 0 || viewers[i] == NULL ||
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
			SSL_set_fd(viewers[i], fd) != 1 || SSL_accept(viewers[i]) != 1) {
			return false;
		}
	}
	return true;
}

static bool send_frame(SSL *viewer, const unsigned char *frame, size_t size)
{
	for (size_t at = 0; at < size; at += WRITE_BYTES) {
		size_t piece = size - at < WRITE_BYTES ? size - at : WRITE_BYTES;
		if (SSL_write(viewer, frame + at, (int)piece) <= 0) {
			return false;
		}
	}
	return true;
}

/* The sender's process: tells its result through a pipe. */
static void serve(int listener, int report, unsigned int count, size_t size, unsigned int fps,
	unsigned int seconds)
{
	SSL *viewers[VIEWERS_MAX];
	unsigned char *frame = malloc(size);
	struct result r = {0};
	if (frame == NULL || !accept_viewers(listener, viewers, count)) {
		_exit(1);
	}
	for (size_t i = 0; i < size; i++) {
		frame[i] = (unsigned char)(i * 2654435761u >> 13);
	}
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	double before = cpu_us();
	for (unsigned int n = 0; n < fps * seconds; n++) {
		for (unsigned int v = 0; v < count; v++) {
			if (!send_frame(viewers[v], frame, size)) {
				_exit(1);
			}
			r.frames++;
		}
		next.tv_nsec += 1000000000L / fps;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	r.cpu_us = cpu_us() - before;
	_exit(write(report, &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
}

static bool connect_viewers(
	const struct sockaddr_in *address, SSL **viewers, struct pollfd *fds, unsigned int count)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	for (unsigned int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		viewers[i] = ctx == NULL ? NULL : SSL_new(ctx);
		if (fd < 0 || viewers[i] == NULL ||
			connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
			SSL_set_fd(viewers[i], fd) != 1 || SSL_connect(viewers[i]) != 1) {
			return false;
		}
		fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return true;
}

/* Reads until every sender has closed. */
static void drain(SSL **viewers, struct pollfd *fds, unsigned int count)
{
	static unsigned char buffer[WRITE_BYTES];
	unsigned int open = count;
	while (open > 0 && poll(fds, count, 5000) > 0) {
		for (unsigned int i = 0; i < count; i++) {
			if (fds[i].revents != 0 &&
				SSL_read(viewers[i], buffer, sizeof(buffer)) <= 0) {
				fds[i].fd = -1;
				open--;
			}
		}
	}
}

double floor_measure(
	unsigned int viewers, size_t frame_bytes, unsigned int fps, unsigned int seconds)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	SSL *ssl[VIEWERS_MAX];
	struct pollfd fds[VIEWERS_MAX];
	struct result r = {0};
	int report[2];
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (viewers > VIEWERS_MAX || listener < 0 || pipe(report) < 0 ||
		bind(listener, (struct sockaddr *)&address, size) < 0 ||
		listen(listener, 256) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		serve(listener, report[1], viewers, frame_bytes, fps, seconds);
	}
	close(report[1]);
	if (pid > 0 && connect_viewers(&address, ssl, fds, viewers)) {
		drain(ssl, fds, viewers);
	}
	bool ok = read(report[0], &r, sizeof(r)) == (ssize_t)sizeof(r) && r.frames > 0;
	waitpid(pid, NULL, 0);
	close(report[0]);
	close(listener);
	for (unsigned int i = 0; ok && i < viewers; i++) {
		close(SSL_get_fd(ssl[i]));
		SSL_free(ssl[i]);
	}
	return ok ? r.cpu_us / (double)r.frames : -1;
}
