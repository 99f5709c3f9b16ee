/* The values of the configuration's keys: what each may be. For config.c. Pure. */
#ifndef CAMGATE_CONFIG_VALUE_H
#define CAMGATE_CONFIG_VALUE_H

#include "config.h"

enum config_key {
	CONFIG_NAME,
	CONFIG_HOSTS,
	CONFIG_LISTEN,
	CONFIG_TLS_CERT,
	CONFIG_TLS_KEY,
	CONFIG_LINGER,
	CONFIG_ROTATE,
	CONFIG_RECORD_SIZE,
	CONFIG_RECORD_DAYS,
	CONFIG_CONNECTIONS,
	CONFIG_KEYS,
};

/* Of [hub], in the order of enum config_key, ended by NULL. */
extern const char *const config_keys[CONFIG_KEYS + 1];

/* An enum config_key, or -ENOENT. */
int config_key_find(const char *key);
/* Takes the value over. On -EINVAL *ret_expected says what it should be. */
int config_value_set(
	struct config *config, enum config_key key, const char *value, const char **ret_expected);
/* Removes blanks at both ends, in place. */
void config_value_trim(char *text);

#endif
