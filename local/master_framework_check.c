/* master_framework_check.c: whether a framework may be what it says it is. validation::framework::validate()
 * in src/master/validation.cpp, validateID() in src/common/validation.cpp of Apache Mesos. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "local/master_state.h"
#include "mesos/roles.h"

enum { ID_MAX = 255 }; /* NAME_MAX */

static const double max_failover_seconds = 9223372036.0; /* what fits a Duration, in nanoseconds */

bool master_has_capability(
	const Mesos__V1__FrameworkInfo *info, Mesos__V1__FrameworkInfo__Capability__Type capability)
{
	for (size_t i = 0; i < info->n_capabilities; i++)
		if (info->capabilities[i]->has_type && info->capabilities[i]->type == capability)
			return true;
	return false;
}

size_t master_roles_of(const Mesos__V1__FrameworkInfo *info, char *const **ret)
{
	if (master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE)) {
		*ret = info->roles;
		return info->n_roles;
	}
	*ret = &info->role;
	return 1;
}

int master_check_id(const char *id, struct err *err)
{
	if (id[0] == '\0')
		return err_set(err, -EINVAL, "ID must not be empty");
	if (strlen(id) > ID_MAX)
		return err_set(err, -EINVAL, "ID must not be greater than %d characters", ID_MAX);
	if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return err_set(err, -EINVAL, "'%s' is disallowed", id);
	for (const char *p = id; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p) || *p == '/' || *p == '\\')
			return err_set(err, -EINVAL, "'%s' contains invalid characters", id);
	return 0;
}

static int check_multi_roles(const Mesos__V1__FrameworkInfo *info, struct err *err)
{
	for (size_t i = 0; i < info->n_roles; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(info->roles[i], info->roles[j]) == 0)
				return err_set(err, -EINVAL,
					"'FrameworkInfo.roles' contains duplicate items: { %s }",
					info->roles[i]);
	for (size_t i = 0; i < info->n_roles; i++) {
		int r = roles_check(info->roles[i], err);
		if (r < 0)
			return err_prefix(err, r, "'FrameworkInfo.roles' contains invalid role");
	}
	return 0;
}

/* The generated code cannot tell an absent `role` from its default; "*" may stand either way. */
static int check_roles(const Mesos__V1__FrameworkInfo *info, struct err *err)
{
	bool multi = master_has_capability(info, MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE);

	if (multi && info->role != NULL && strcmp(info->role, "*") != 0)
		return err_set(err, -EINVAL,
			"'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable");
	if (multi)
		return check_multi_roles(info, err);
	if (info->n_roles > 0)
		return err_set(err, -EINVAL,
			"'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable");
	int r = roles_check(info->role, err);
	return r < 0 ? err_prefix(err, r, "'FrameworkInfo.role' is not a valid role") : 0;
}

int master_check_framework(const Mesos__V1__FrameworkInfo *info, struct err *err)
{
	int r = check_roles(info, err);

	if (r == 0 && info->id != NULL && info->id->value[0] != '\0')
		r = master_check_id(info->id->value, err);
	if (r == 0 &&
		(!isfinite(info->failover_timeout) || fabs(info->failover_timeout) > max_failover_seconds))
		r = err_set(err, -EINVAL, "The framework failover_timeout (%g) is invalid",
			info->failover_timeout);
	return r;
}

int master_check_suppressed(
	const Mesos__V1__FrameworkInfo *info, char *const *roles, size_t n, struct err *err)
{
	char *const *own;
	size_t n_own = master_roles_of(info, &own);

	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t j = 0; j < n_own && !found; j++)
			found = strcmp(roles[i], own[j]) == 0;
		if (!found)
			return err_set(err, -EINVAL,
				"Suppressed roles { %s } are not contained in the set of roles", roles[i]);
	}
	return 0;
}
