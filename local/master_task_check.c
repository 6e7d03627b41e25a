/* master_task_check.c: whether a task may be launched. validation::task::validate() and
 * validation::executor in src/master/validation.cpp of Apache Mesos, in its order and words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_state.h"

AUTO_FREE(resources, struct resources, resources_free)
#define auto_resources AUTO_CLEANUP(auto_resources_cleanup_)

typedef Mesos__V1__TaskInfo TaskInfo;
typedef Mesos__V1__ExecutorInfo ExecutorInfo;

static bool negative(const Mesos__V1__DurationInfo *d)
{
	return d != NULL && d->nanoseconds < 0;
}

static const char *role_of(const Mesos__V1__Resource *r, const char *offered)
{
	bool says = r->allocation_info != NULL && r->allocation_info->role != NULL;
	return says ? r->allocation_info->role : offered;
}

/* A resource that does not say what it is allocated to is allocated as the offer is. */
static int check_single_role(Mesos__V1__Resource *const *r, size_t n, const char *offered, struct err *err)
{
	for (size_t i = 1; i < n; i++) {
		const char *a = role_of(r[0], offered), *b = role_of(r[i], offered);

		if (strcmp(a, b) != 0)
			return err_set(err, -EINVAL,
				"The resources have multiple allocation roles ('%s' and '%s') but only one "
				"allocation role is allowed",
				b, a);
	}
	return 0;
}

/* Of one kind of resources there is what the agent may take back, or what it may not. */
static int check_revocable(const struct resources *r, const char *whose, struct err *err)
{
	Mesos__V1__Resource **list;
	size_t n;
	struct err why = { "" };

	int k = resources_to_pb(r, &list, &n);
	if (k < 0)
		return k;
	for (size_t i = 1; k == 0 && i < n; i++)
		for (size_t j = 0; k == 0 && j < i; j++)
			if (strcmp(list[i]->name, list[j]->name) == 0 &&
				(list[i]->revocable == NULL) != (list[j]->revocable == NULL))
				k = err_set(&why, -EINVAL,
					"Cannot use both revocable and non-revocable '%s' at the same time",
					list[i]->name);
	resources_pb_free(list, n);
	return k < 0 ? err_set(err, k, "%s revocable and non-revocable resources: %s", whose, why.text) : 0;
}

static int check_identity(const struct launch *l, const TaskInfo *task, struct err *err)
{
	const struct framework *f = l->member->framework;
	const char *id = task->task_id->value, *agent = l->agent->info->id->value;
	const struct task *lost;

	int r = master_check_id(id, err);
	if (r < 0)
		return r;
	if (master_task(f, id) != NULL)
		return err_set(err, -EINVAL, "Task has duplicate ID: %s", id);
	HASH_FIND_STR(f->unreachable, id, lost);
	if (lost != NULL)
		return err_set(err, -EINVAL, "Task reuses the ID of an unreachable task: %s", id);
	if (strcmp(task->agent_id->value, agent) != 0)
		return err_set(err, -EINVAL, "Task uses invalid agent %s while agent %s is expected",
			task->agent_id->value, agent);
	if (task->kill_policy != NULL && negative(task->kill_policy->grace_period))
		return err_set(err, -EINVAL, "Task's 'kill_policy.grace_period' must be non-negative");
	return 0;
}

static int read_task(const struct launch *l, const TaskInfo *task, struct resources **ret, struct err *err)
{
	if (task->n_resources == 0)
		return err_set(err, -EINVAL, "Task uses no resources");
	int r = master_resources_read(task->resources, task->n_resources, ret, err);
	if (r == -EINVAL)
		return err_prefix(err, r, "Task uses invalid resources");
	if (r == 0)
		r = check_single_role(task->resources, task->n_resources, l->member->role->name, err);
	if (r == -EINVAL)
		return err_prefix(err, r, "Invalid task resources");
	return r < 0 ? r : check_revocable(*ret, "Task mixes", err);
}

/* ---- Executors ---- */

/* What is compared of an ExecutorInfo is what the master would keep of it. */
static int check_same(
	struct master *m, const struct executor *there, const ExecutorInfo *info, struct err *err)
{
	size_t len;
	auto_free uint8_t *packed = master_pack_executor(m, info, there->member->role->name, &len);

	if (packed == NULL)
		return -ENOMEM;
	if (len == there->packed_len && memcmp(packed, there->packed, len) == 0)
		return 0;
	return err_set(err, -EINVAL,
		"ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '%s'",
		there->id);
}

static int check_executor_type(const ExecutorInfo *info, struct err *err)
{
	if (info->has_type && info->type != MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM)
		return err_set(err, -EINVAL, "'ExecutorInfo.type' must be 'CUSTOM'");
	if (info->command == NULL)
		return err_set(err, -EINVAL, "'ExecutorInfo.command' must be set");
	return 0;
}

static int check_executor_info(const struct launch *l, const ExecutorInfo *info, struct err *err)
{
	const struct framework *f = l->member->framework;

	int r = master_check_id(info->executor_id->value, err);
	if (r < 0)
		return r;
	if (info->framework_id == NULL)
		return err_set(err, -EINVAL, "'ExecutorInfo.framework_id' must be set");
	if (strcmp(info->framework_id->value, f->id) != 0)
		return err_set(err, -EINVAL,
			"ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)",
			info->framework_id->value, f->id);
	if (negative(info->shutdown_grace_period))
		return err_set(err, -EINVAL, "ExecutorInfo's 'shutdown_grace_period' must be non-negative");
	return check_executor_type(info, err);
}

/* *ret: what the executor says that it takes; *ret_new: it does not run yet. */
static int read_executor(struct master *m, const struct launch *l, const ExecutorInfo *info,
	struct resources **ret, bool *ret_new, struct err *err)
{
	const char *role = l->member->role->name;

	int r = check_executor_info(l, info, err);
	if (r == 0 && (r = master_resources_read(info->resources, info->n_resources, ret, err)) == -EINVAL)
		return err_prefix(err, r, "Executor uses invalid resources");
	if (r == 0 && (r = check_single_role(info->resources, info->n_resources, role, err)) == -EINVAL)
		return err_prefix(err, r, "Invalid executor resources");
	if (r == 0)
		r = check_revocable(*ret, "Executor mixes", err);
	const struct executor *there =
		master_executor(l->agent, l->member->framework, info->executor_id->value);
	*ret_new = there == NULL;
	return r == 0 && there != NULL ? check_same(m, there, info, err) : r;
}

static int overlapping(const struct launch *l, const struct resources *own, const struct resources *executor,
	struct err *err)
{
	enum { WORDS_MAX = 64 * 1024 };
	const char *role = l->member->role->name;
	auto_buf struct buf task = BUF_INIT(WORDS_MAX), other = BUF_INIT(WORDS_MAX);

	int r = master_resources_print(own, role, &task);
	if (r == 0)
		r = master_resources_print(executor, role, &other);
	if (r == -ENOMEM)
		return r;
	return err_set(err, -EINVAL,
		"There are overlapping resources in the task resources %.*s and executor resources %.*s",
		(int)task.len, (const char *)task.data, (int)other.len, (const char *)other.data);
}

/* A task beside its executor, whether that runs already or not. */
static int check_both(const struct launch *l, const struct resources *own, const struct resources *executor,
	struct err *err)
{
	auto_resources struct resources *total = NULL, *rest = NULL;

	int r = resources_dup(own, &total);
	if (r == 0)
		r = resources_add(total, executor);
	if (r == 0)
		r = resources_dup(total, &rest);
	if (r == 0)
		r = resources_subtract(rest, own);
	if (r < 0)
		return r;
	if (!resources_contains(rest, executor)) /* ranges and sets that meet are less together than each */
		return overlapping(l, own, executor, err);
	return check_revocable(total, "Task and its executor mix", err);
}

/* ---- Room ---- */

static bool allocated_as_offered(Mesos__V1__Resource *const *r, size_t n, const char *role)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(role_of(r[i], role), role) != 0)
			return false;
	return true;
}

static int too_large(const struct launch *l, const char *role, const struct resources *total, struct err *err)
{
	enum { WORDS_MAX = 64 * 1024 };
	auto_buf struct buf needed = BUF_INIT(WORDS_MAX), offered = BUF_INIT(WORDS_MAX);

	int r = master_resources_print(total, role, &needed);
	if (r == 0)
		r = master_resources_print(l->offered, l->member->role->name, &offered);
	if (r == -ENOMEM)
		return r;
	return err_set(err, -EINVAL,
		"Total resources %.*s required by task and its executor is more than available %.*s",
		(int)needed.len, (const char *)needed.data, (int)offered.len, (const char *)offered.data);
}

static int check_room(const struct launch *l, const TaskInfo *task, const struct resources *own,
	const struct resources *executor, struct err *err)
{
	const char *role = l->member->role->name;
	auto_resources struct resources *total = NULL;

	int r = resources_dup(own, &total);
	if (r == 0 && executor != NULL)
		r = resources_add(total, executor);
	if (r < 0)
		return r;
	bool fits = resources_contains(l->offered, total) &&
		    allocated_as_offered(task->resources, task->n_resources, role) &&
		    (executor == NULL || allocated_as_offered(task->executor->resources,
						 task->executor->n_resources, role));
	return fits ? 0 : too_large(l, role_of(task->resources[0], role), total, err);
}

int master_check_task(struct master *m, const struct launch *l, const TaskInfo *task,
	struct resources **ret_task, struct resources **ret_executor, struct err *err)
{
	auto_resources struct resources *own = NULL, *executor = NULL;
	bool is_new = false;

	int r = check_identity(l, task, err);
	if (r == 0)
		r = read_task(l, task, &own, err);
	if (r == 0 && (task->executor != NULL) == (task->command != NULL))
		r = err_set(err, -EINVAL,
			"Task should have at least one (but not both) of CommandInfo or ExecutorInfo "
			"present");
	if (r == 0 && task->executor != NULL)
		r = read_executor(m, l, task->executor, &executor, &is_new, err);
	if (r == 0 && executor != NULL)
		r = check_both(l, own, executor, err);
	if (!is_new) /* it costs nothing any more */
		executor = resources_free(executor);
	if (r == 0)
		r = check_room(l, task, own, executor, err);
	if (r < 0)
		return r;
	*ret_task = own;
	*ret_executor = executor;
	own = executor = NULL;
	return 0;
}
