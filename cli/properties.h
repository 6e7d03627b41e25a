/* properties.h: properties as spark-defaults.conf has them: KEY=VALUE or KEY VALUE, one a line. */
#ifndef QUERN_CLI_PROPERTIES_H
#define QUERN_CLI_PROPERTIES_H

#include "base/err.h"

/* Cuts a line in two, which it changes. -EINVAL with a sentence. */
int properties_cut(char *line, char **ret_key, char **ret_value, struct err *err);

/* Calls `each` for every pair of a file; the first failure is the end, with the place in its sentence. */
int properties_read(const char *path,
	int (*each)(void *arg, const char *key, const char *value, struct err *err), void *arg,
	struct err *err);

#endif
