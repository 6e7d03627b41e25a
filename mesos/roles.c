#include "mesos/roles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* One part of a role between slashes. */
static int check_component(const char *role, const char *part, size_t len, struct err *err)
{
	static const char *const reserved[] = { ".", "..", "*" };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strlen(reserved[i]) == len && strncmp(part, reserved[i], len) == 0)
			return err_set(err, -EINVAL, "Role '%s' cannot include '%s' as a component", role,
				reserved[i]);
	if (part[0] == '-')
		return err_set(err, -EINVAL, "Role component '%.*s' is invalid because it starts with a dash",
			(int)len, part);
	if (strcspn(part, "\t\n\v\f\r \x7f") < len)
		return err_set(err, -EINVAL,
			"Role component '%.*s' is invalid because it contains backspace or whitespace",
			(int)len, part);
	return 0;
}

int roles_check(const char *role, struct err *err)
{
	size_t len = strlen(role);
	int r = 0;

	if (strcmp(role, "*") == 0)
		return 0;
	if (len == 0)
		return err_set(err, -EINVAL, "Role names cannot be the empty string");
	if (role[0] == '/')
		return err_set(err, -EINVAL, "Role '%s' cannot start with a slash", role);
	if (role[len - 1] == '/')
		return err_set(err, -EINVAL, "Role '%s' cannot end with a slash", role);
	if (strstr(role, "//") != NULL)
		return err_set(err, -EINVAL, "Role '%s' cannot contain two adjacent slashes", role);
	for (const char *part = role; r == 0 && part != NULL;) {
		size_t n = strcspn(part, "/");

		r = check_component(role, part, n, err);
		part = part[n] == '/' ? part + n + 1 : NULL;
	}
	return r;
}

/* ---- Lists ---- */

size_t roles_count(const char *const *list)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	return n;
}

void roles_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

char **roles_dup(const char *const *list)
{
	size_t n = roles_count(list);
	char **copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; copy != NULL && i < n; i++) {
		copy[i] = strdup(list[i]);
		if (copy[i] == NULL) {
			roles_free(copy);
			return NULL;
		}
	}
	return copy;
}

int roles_parse(const char *text, char ***ret, struct err *err)
{
	auto_free char *copy = strdup(text);
	auto_free const char **list = calloc(strlen(text) + 2, sizeof(*list));
	char *next = copy;
	size_t n = 0;

	if (copy == NULL || list == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *name = strsep(&next, ","); name != NULL; name = strsep(&next, ",")) {
		int r = roles_check(name, err);
		for (size_t i = 0; r == 0 && i < n; i++)
			if (strcmp(list[i], name) == 0)
				r = err_set(err, -EINVAL, "Role '%s' is there twice", name);
		if (r < 0)
			return r;
		list[n++] = name;
	}
	char **own = roles_dup(list);
	if (own == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = own;
	return 0;
}
