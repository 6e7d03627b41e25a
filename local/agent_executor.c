/* agent_executor.c: executors: from the task that needs one to the end of its container. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "local/agent_state.h"

struct framework *agent_framework(const struct agent *a, const char *id)
{
	struct framework *f = a->frameworks;

	while (f != NULL && strcmp(f->info->id->value, id) != 0)
		f = f->next;
	return f;
}

struct executor *agent_executor(const struct framework *f, const char *id)
{
	struct executor *e = f->executors;

	while (e != NULL && strcmp(e->info->executor_id->value, id) != 0)
		e = e->next;
	return e;
}

struct executor *agent_container(const struct agent *a, const char *id)
{
	for (struct framework *f = a->frameworks; f != NULL; f = f->next)
		for (struct executor *e = f->executors; e != NULL; e = e->next)
			if (strcmp(e->container, id) == 0)
				return e;
	return NULL;
}

/* ---- The environment: names and forms as Mesos has them (executorEnvironment() of src/slave/slave.cpp) ----
 */

typedef VEC(char *) strings;

__attribute__((format(printf, 3, 4))) static void put(struct agent *a, strings *env, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0 || vec_push(env, text) < 0) {
		a->oom = true;
		if (n >= 0)
			free(text);
	}
}

/* As Mesos prints a Duration: "5secs", "1mins", "250ms". */
static void duration(uint64_t ms, char ret[32])
{
	if (ms > 0 && ms % 60000 == 0)
		(void)snprintf(ret, 32, "%" PRIu64 "mins", ms / 60000);
	else if (ms % 1000 == 0)
		(void)snprintf(ret, 32, "%" PRIu64 "secs", ms / 1000);
	else
		(void)snprintf(ret, 32, "%" PRIu64 "ms", ms);
}

static uint64_t grace_ms(const struct agent *a, const struct executor *e)
{
	const Mesos__V1__DurationInfo *own = e->info->shutdown_grace_period;

	return own != NULL && own->nanoseconds >= 0 ? (uint64_t)own->nanoseconds / 1000000
						    : a->config.shutdown_grace_ms;
}

/* Leaves the first of each name: the executor's own variables prevail, as in Mesos. */
static void drop_repeated(strings *env)
{
	for (size_t i = 0; i < env->n; i++) {
		size_t name = strcspn(env->at[i], "=") + 1;

		for (size_t k = i + 1; k < env->n;) {
			if (strncmp(env->at[k], env->at[i], name) != 0) {
				k++;
				continue;
			}
			free(env->at[k]);
			vec_remove(env, k);
		}
	}
}

static void put_own(struct agent *a, strings *env, const Mesos__V1__Environment *own)
{
	/* Backwards, so that the last of a name prevails. */
	for (size_t i = own != NULL ? own->n_variables : 0; i-- > 0;) {
		const Mesos__V1__Environment__Variable *v = own->variables[i];

		if (v->name[0] != '\0' && strchr(v->name, '=') == NULL)
			put(a, env, "%s=%s", v->name, v->value != NULL ? v->value : "");
	}
}

static char **environment(struct agent *a, const struct executor *e)
{
	const Mesos__V1__FrameworkInfo *f = e->framework->info;
	strings env = { 0 };
	char grace[32];

	put_own(a, &env, e->info->command->environment);
	duration(grace_ms(a, e), grace);
	put(a, &env, "LIBPROCESS_IP=%s", a->config.ip);
	put(a, &env, "LIBPROCESS_PORT=0");
	put(a, &env, "MESOS_AGENT_ENDPOINT=%s:%u", a->config.ip, a->config.port);
	put(a, &env, "MESOS_CHECKPOINT=%d", f->has_checkpoint && f->checkpoint);
	put(a, &env, "MESOS_DIRECTORY=%s", e->path);
	put(a, &env, "MESOS_EXECUTOR_ID=%s", e->info->executor_id->value);
	put(a, &env, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=%s", grace);
	put(a, &env, "MESOS_FRAMEWORK_ID=%s", f->id->value);
	put(a, &env, "MESOS_HTTP_COMMAND_EXECUTOR=0");
	put(a, &env, "MESOS_SANDBOX=%s", e->path);
	put(a, &env, "MESOS_SLAVE_ID=%s", a->info->id->value);
	put(a, &env, "MESOS_SLAVE_PID=slave(1)@%s:%u", a->config.ip, a->config.port);
	if (f->has_checkpoint && f->checkpoint) {
		put(a, &env, "MESOS_RECOVERY_TIMEOUT=15mins");
		put(a, &env, "MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs");
	}
	drop_repeated(&env);
	if (vec_push(&env, NULL) < 0) { /* without an end it is no list */
		a->oom = true;
		for (size_t i = 0; i < env.n; i++)
			free(env.at[i]);
		vec_deinit(&env);
	}
	return env.at;
}

/* ---- Launch ---- */

static char *sandbox(struct agent *a, const struct executor *e)
{
	char *path = NULL;

	/* Mesos' layout (src/slave/paths.cpp). The ids are names, not paths: see agent_message(). */
	if (asprintf(&path, "%s/slaves/%s/frameworks/%s/executors/%s/runs/%s", a->config.work_dir,
		    a->info->id->value, e->framework->info->id->value, e->info->executor_id->value,
		    e->container) < 0) {
		a->oom = true;
		return NULL;
	}
	return path;
}

static void start_container(struct agent *a, struct executor *e)
{
	struct agent_action *x = agent_do(a, AGENT_DO_START);

	x->container = agent_strdup(a, e->container);
	x->path = agent_strdup(a, e->path);
	x->env = environment(a, e);
	x->command = agent_dup(a, e->info->command);
}

struct executor *executor_launch(struct agent *a, struct framework *f, const Mesos__V1__ExecutorInfo *info)
{
	struct executor *e = calloc(1, sizeof(*e));

	if (e == NULL || (e->info = agent_dup(a, info)) == NULL) {
		a->oom = true;
		free(e);
		return NULL;
	}
	e->framework = f;
	e->deadline = a->now + a->config.registration_timeout_ms;
	e->heartbeat_at = UINT64_MAX;
	random_uuid_text(&a->random, e->container);
	e->path = sandbox(a, e);
	e->next = f->executors;
	f->executors = e;
	if (e->path != NULL)
		start_container(a, e);
	return e;
}

/* ---- The end ---- */

void executor_kill(struct agent *a, struct executor *e)
{
	struct agent_action *x = agent_do(a, AGENT_DO_KILL);

	x->container = agent_strdup(a, e->container);
	x->status = SIGKILL;
	e->state = EXECUTOR_TERMINATING;
	e->deadline = UINT64_MAX;
}

void executor_shutdown(struct agent *a, struct executor *e)
{
	Mesos__V1__Executor__Event event = MESOS__V1__EXECUTOR__EVENT__INIT;

	if (e->state == EXECUTOR_TERMINATING || e->state == EXECUTOR_TERMINATED)
		return;
	if (e->state == EXECUTOR_REGISTERING) {
		executor_kill(a, e);
		return;
	}
	if (e->subscribed) /* otherwise it hears of it when it subscribes again */
		agent_to_executor(a, e, MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN, &event);
	e->state = EXECUTOR_TERMINATING;
	e->deadline = a->now + grace_ms(a, e);
}

/* What the tasks of an executor that is gone have come to. */
static void end_tasks(struct agent *a, struct executor *e, const char *why)
{
	Mesos__V1__TaskStatus__Reason reason = MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_TERMINATED;
	const char *message = "Executor terminated";
	char text[512], timeout[32];

	if (e->timed_out) {
		reason = MESOS__V1__TASK_STATUS__REASON__REASON_EXECUTOR_REGISTRATION_TIMEOUT;
		duration(a->config.registration_timeout_ms, timeout);
		(void)snprintf(text, sizeof(text), "Executor did not register within %s", timeout);
		message = text;
	} else if (why != NULL) {
		reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_LAUNCH_FAILED;
		(void)snprintf(text, sizeof(text), "Failed to launch container: %s", why);
		message = text;
	}
	for (struct task *t = e->tasks; t != NULL; t = t->hh.next)
		if (!task_terminal(t->state))
			task_end(a, t, MESOS__V1__TASK_STATE__TASK_FAILED, reason, message);
}

static void report_exit(struct agent *a, const struct executor *e, int status)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__ExecutorExited exited = QUERN__LOCAL__TO_MASTER__EXECUTOR_EXITED__INIT;

	exited.framework_id = e->framework->info->id;
	exited.executor_id = e->info->executor_id;
	exited.status = status;
	m.executor_exited = &exited;
	agent_to_master(a, &m);
}

void executor_ended(struct agent *a, struct executor *e, int status, const char *why)
{
	if (e->subscribed)
		agent_do(a, AGENT_DO_CLOSE)->conn = e->conn;
	e->subscribed = false;
	e->state = EXECUTOR_TERMINATED;
	e->deadline = e->heartbeat_at = UINT64_MAX;
	if (!e->framework->removed) {
		end_tasks(a, e, why);
		report_exit(a, e, why != NULL ? -1 : status); /* -1: Mesos' for "none" */
	}
	if (!a->config.keep_sandboxes && e->path != NULL)
		agent_do(a, AGENT_DO_REMOVE)->path = agent_strdup(a, e->path);
}

static void executor_free(struct executor *e)
{
	struct task *t, *next;

	HASH_ITER (hh, e->tasks, t, next) {
		HASH_DEL(e->tasks, t);
		task_free(t);
	}
	mesos__v1__executor_info__free_unpacked(e->info, NULL);
	free(e->path);
	free(e);
}

void framework_free(struct framework *f)
{
	while (f->executors != NULL) {
		struct executor *e = f->executors;

		f->executors = e->next;
		executor_free(e);
	}
	mesos__v1__framework_info__free_unpacked(f->info, NULL);
	free(f);
}

void agent_tidy(struct agent *a)
{
	for (struct framework **f = &a->frameworks; *f != NULL;) {
		for (struct executor **e = &(*f)->executors; *e != NULL;) {
			struct executor *over = *e;

			if (over->state != EXECUTOR_TERMINATED || (over->tasks != NULL && !(*f)->removed)) {
				e = &over->next;
				continue;
			}
			*e = over->next;
			executor_free(over);
		}
		struct framework *idle = *f;
		if (idle->executors != NULL) {
			f = &idle->next;
			continue;
		}
		*f = idle->next;
		framework_free(idle);
	}
}
