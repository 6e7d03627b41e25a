#include "cli/properties.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

int properties_cut(char *line, char **ret_key, char **ret_value, struct err *err)
{
	char *key = line + strspn(line, " \t");
	size_t len = strcspn(key, "= \t\n");
	char *value = key + len + strspn(key + len, " \t");

	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	value[strcspn(value, "\n")] = '\0';
	for (size_t n = strlen(value); n > 0 && strchr(" \t\r", value[n - 1]) != NULL; n--)
		value[n - 1] = '\0';
	key[len] = '\0';
	if (len == 0 || *value == '\0')
		return err_set(err, -EINVAL, "'%s': write KEY=VALUE", line);
	*ret_key = key;
	*ret_value = value;
	return 0;
}

int properties_read(const char *path,
	int (*each)(void *arg, const char *key, const char *value, struct err *err), void *arg,
	struct err *err)
{
	auto_free char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	int r = 0;

	FILE *f = fopen(path, "re");
	if (f == NULL)
		return err_errno(err, -errno, "--properties-file '%s'", path);
	while (r == 0 && getline(&line, &size, f) >= 0) {
		char *key, *value;

		number++;
		if (line[strspn(line, " \t\r\n")] == '\0' || line[strspn(line, " \t")] == '#')
			continue;
		r = properties_cut(line, &key, &value, err);
		if (r == 0)
			r = each(arg, key, value, err);
	}
	if (r == 0 && ferror(f))
		r = err_errno(err, -errno, "'%s'", path);
	(void)fclose(f);
	return r < 0 ? err_prefix(err, r, "%s:%u", path, number) : 0;
}
