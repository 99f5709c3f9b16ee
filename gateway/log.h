/*
 * One line per event on standard error, prefixed with the role; with a syslog level mark when the
 * journal listens (JOURNAL_STREAM). Never logs secrets or pictures. A function either logs or
 * returns an error, never both.
 */
#ifndef CAMGATE_LOG_H
#define CAMGATE_LOG_H

/* The role's name, for the prefix; borrowed for ever. */
void log_init(const char *role);
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
