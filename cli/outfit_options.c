#include "cli/outfit_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* What the agent says to an executor is not the user's (src/slave/slave.cpp of Apache Mesos,
 * executorEnvironment()). */
static bool is_mesos_own(const char *name)
{
	return strncmp(name, "MESOS_", 6) == 0 || strncmp(name, "LIBPROCESS_", 11) == 0;
}

int env_add(env_list *list, const char *text, struct err *err)
{
	size_t name = strcspn(text, "=");

	if (name == 0 || text[name] == '\0')
		return err_set(err, -EINVAL, "'%s': write NAME=VALUE", text);
	for (size_t i = 0; i < name; i++)
		if (!isgraph((unsigned char)text[i]))
			return err_set(err, -EINVAL, "'%.*s' is no name of a variable", (int)name, text);
	if (is_mesos_own(text))
		return err_set(err, -EINVAL, "'%.*s' is for Mesos to set", (int)name, text);
	char *copy = strdup(text);
	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < list->n; i++) {
		if (strncmp(list->at[i], text, name + 1) != 0)
			continue;
		free(list->at[i]);
		list->at[i] = copy;
		return 0;
	}
	if (vec_push(list, copy) < 0) {
		free(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

void env_deinit(env_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->at[i]);
	vec_deinit(list);
}

int volume_add(volume_list *list, const char *text, struct err *err)
{
	auto_free char *copy = strdup(text);
	struct executor_volume v = { 0 };

	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	char *rest = copy, *host = strsep(&rest, ":"), *container = strsep(&rest, ":");
	if (host[0] != '/' || container == NULL || container[0] != '/' ||
		(rest != NULL && strcmp(rest, "ro") != 0 && strcmp(rest, "rw") != 0))
		return err_set(err, -EINVAL,
			"'%s': write HOST:CONTAINER, two absolute paths, with :ro behind them or not", text);
	v.read_only = rest != NULL && strcmp(rest, "ro") == 0;
	v.host_path = strdup(host);
	v.container_path = strdup(container);
	if (v.host_path == NULL || v.container_path == NULL || vec_push(list, v) < 0) {
		free(v.host_path);
		free(v.container_path);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

void volumes_deinit(volume_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->at[i].host_path);
		free(list->at[i].container_path);
	}
	vec_deinit(list);
}
