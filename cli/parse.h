/* parse.h: numbers with units, as people write them on a command line. Each returns 0, or -EINVAL and a
 * sentence that names what was wrong; *ret is untouched then. */
#ifndef QUERN_CLI_PARSE_H
#define QUERN_CLI_PARSE_H

#include <stdint.h>

#include "base/err.h"

/* "512", "512m", "2g", "1t", upper or lower case, with or without a final b: megabytes; a bare number is
 * megabytes. */
int parse_memory_mb(const char *text, uint32_t *ret, struct err *err);

/* "30s", "500ms", "2m", "1h": milliseconds; a bare number is seconds. "never" and "0" where 0 means that. */
int parse_duration_ms(const char *text, uint64_t *ret, struct err *err);

/* "1", "0.5": thousandths. More than 0. */
int parse_cpus_milli(const char *text, uint32_t *ret, struct err *err);

/* "0.8", "80%": percent, 0 to 100. */
int parse_percent(const char *text, uint32_t *ret, struct err *err);

/* A whole number from `min` to `max`. */
int parse_count(const char *text, uint32_t min, uint32_t max, uint32_t *ret, struct err *err);

#endif
