#include "config_value.h"
#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	LINGER_MAX_S = 3600,
	ROTATE_MAX_S = 600,
	RECORD_SIZE_MAX_MIB = 1024,
	RECORD_DAYS_MAX = 3660,
	SIDE_MIN = 16,
	SIDE_MAX = 8192,
	FPS_MAX = 240,
};

const char *const config_keys[CONFIG_KEYS + 1] = {"name", "hosts", "listen", "tls_cert", "tls_key",
	"linger", "rotate", "record_size", "record_days", "connections", NULL};

static const char *const expectations[CONFIG_KEYS] = {
	"a host name, as hub.example",
	"host names with blanks or commas between them, 16 at most",
	"ADDRESS:PORT, as [::]:8443 or 192.0.2.1:8443",
	"the whole path of a PEM file, or the name of a systemd credential",
	"the whole path of a PEM file, or the name of a systemd credential",
	"seconds, 0 to 3600",
	"seconds, 1 to 600",
	"MiB, 1 to 1024",
	"days, 1 to 3660",
	"how many, 16 to 2048",
};

int config_key_find(const char *key)
{
	for (int i = 0; i < CONFIG_KEYS; i++) {
		if (strcmp(config_keys[i], key) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

void config_value_trim(char *text)
{
	size_t first = strspn(text, " \t\r\n");
	size_t size = strlen(text + first);

	while (size > 0 && strchr(" \t\r\n", text[first + size - 1]) != NULL) {
		size--;
	}
	memmove(text, text + first, size);
	text[size] = '\0';
}

/* Digits only. What follows them is at *ret_end. */
static int parse_number(const char *text, unsigned int min, unsigned int max, unsigned int *ret,
	const char **ret_end)
{
	unsigned int value = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 8) {
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	if (value < min || value > max) {
		return -EINVAL;
	}
	*ret = value;
	*ret_end = text + n;
	return 0;
}

static int set_number(const char *value, unsigned int min, unsigned int max, unsigned int *ret)
{
	const char *end;

	return parse_number(value, min, max, ret, &end) < 0 || *end != '\0' ? -EINVAL : 0;
}

static int set_seconds(
	const char *value, unsigned int min, unsigned int max, bool *ret_has, unsigned int *ret)
{
	int r = set_number(value, min, max, ret);

	*ret_has = *ret_has || r == 0;
	return r;
}

static int set_text(char out[static CONFIG_TEXT_BYTES], const char *value)
{
	int n = snprintf(out, CONFIG_TEXT_BYTES, "%s", value);

	return n < 0 || n >= CONFIG_TEXT_BYTES ? -EINVAL : 0;
}

static int set_host(char out[static CONFIG_TEXT_BYTES], const char *value)
{
	static struct address_list scratch; /* large, and only the one entry is used */

	scratch.count = 0;
	return address_add(&scratch, value) ? set_text(out, value) : -EINVAL;
}

static int add_hosts(struct config *config, const char *value)
{
	static const char between[] = " \t,";
	char host[CONFIG_TEXT_BYTES];

	for (value += strspn(value, between); *value != '\0'; value += strspn(value, between)) {
		size_t size = strcspn(value, between);

		if (config->hosts_count == CONFIG_HOSTS_MAX || size >= sizeof host) {
			return -EINVAL;
		}
		(void)snprintf(host, sizeof host, "%.*s", (int)size, value);
		if (set_host(config->hosts[config->hosts_count], host) < 0) {
			return -EINVAL;
		}
		config->hosts_count++;
		value += size;
	}
	return 0;
}

static int set_listen(char out[static CONFIG_LISTEN_BYTES], const char *value)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int port;
	int n = snprintf(out, CONFIG_LISTEN_BYTES, "%s", value);

	return n < 0 || n >= CONFIG_LISTEN_BYTES ? -EINVAL
						 : address_split(value, host, sizeof host, &port);
}

/* A name without a slash is looked for in $CREDENTIALS_DIRECTORY, and must stay in there. */
static int set_file(char out[static CONFIG_TEXT_BYTES], const char *value)
{
	if (value[0] != '/' && (strchr(value, '/') != NULL || value[0] == '.')) {
		return -EINVAL;
	}
	return set_text(out, value);
}

int config_value_set(
	struct config *config, enum config_key key, const char *value, const char **ret_expected)
{
	*ret_expected = key < CONFIG_KEYS ? expectations[key] : "";
	switch (key) {
	case CONFIG_NAME:
		return set_host(config->name, value);
	case CONFIG_HOSTS:
		return add_hosts(config, value);
	case CONFIG_LISTEN:
		return set_listen(config->listen, value);
	case CONFIG_TLS_CERT:
		return set_file(config->tls_cert, value);
	case CONFIG_TLS_KEY:
		return set_file(config->tls_key, value);
	case CONFIG_LINGER:
		return set_seconds(value, 0, LINGER_MAX_S, &config->has_linger, &config->linger_s);
	case CONFIG_ROTATE:
		return set_seconds(value, 1, ROTATE_MAX_S, &config->has_rotate, &config->rotate_s);
	case CONFIG_RECORD_SIZE:
		return set_number(value, 1, RECORD_SIZE_MAX_MIB, &config->record_size_mib);
	case CONFIG_RECORD_DAYS:
		return set_number(value, 1, RECORD_DAYS_MAX, &config->record_days);
	case CONFIG_CONNECTIONS:
		return set_number(value, CONFIG_CONNECTIONS_MIN, CONFIG_CONNECTIONS_MAX,
			&config->connections);
	case CONFIG_KEYS:
		break;
	}
	return -EINVAL;
}

int config_mode_parse(const char *text, struct config_mode *ret)
{
	unsigned int width, height, fps = 0;
	const char *at;

	if (parse_number(text, SIDE_MIN, SIDE_MAX, &width, &at) < 0 || *at != 'x' ||
		parse_number(at + 1, SIDE_MIN, SIDE_MAX, &height, &at) < 0) {
		return -EINVAL;
	}
	if (*at == '@' && parse_number(at + 1, 1, FPS_MAX, &fps, &at) < 0) {
		return -EINVAL;
	}
	if (*at != '\0') {
		return -EINVAL;
	}
	*ret = (struct config_mode){(uint16_t)width, (uint16_t)height, (uint16_t)fps};
	return 0;
}
