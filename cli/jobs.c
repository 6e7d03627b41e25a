#include "cli/jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/hosting.h"
#include "mesos/resources.h"
#include "scheduler/driver.h"
#include "scheduler/sched.h"

typedef Mesos__V1__Master__Response__GetFrameworks__Framework Framework;

static const char *label(const Mesos__V1__FrameworkInfo *info, const char *key)
{
	const Mesos__V1__Labels *l = info->labels;

	for (size_t i = 0; l != NULL && i < l->n_labels; i++)
		if (strcmp(l->labels[i]->key, key) == 0)
			return l->labels[i]->value;
	return NULL;
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static uint64_t ms_of(const Mesos__V1__TimeInfo *t)
{
	return t != NULL && t->nanoseconds > 0 ? (uint64_t)t->nanoseconds / 1000000 : 0;
}

/* An exit status, or -1: it is none. */
static int parse_status(const char *text)
{
	char *end;
	long n = text != NULL && *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;

	return n >= 0 && n <= 255 && *end == '\0' ? (int)n : -1;
}

/* "N,M". What is something else is none. */
static void set_log(struct job *j, const char *text)
{
	unsigned long long n, m;
	int end = -1;

	if (text == NULL || sscanf(text, "%19llu,%19llu%n", &n, &m, &end) != 2 || end < 0 ||
		text[end] != '\0')
		return;
	j->log_from[0] = n;
	j->log_from[1] = m;
}

static void set_state(struct job *j, const Framework *f, bool over)
{
	int status = parse_status(label(f->framework_info, SCHED_LABEL_STATUS));

	if (!over && status < 0) {
		j->state = f->connected ? JOB_RUNNING : JOB_AWAY;
		return;
	}
	j->status = status >= 0 ? status : DRIVER_INTERRUPTED;
	j->state = status < 0                     ? JOB_KILLED
		   : status == DRIVER_DONE        ? JOB_DONE
		   : status == DRIVER_INTERRUPTED ? JOB_INTERRUPTED
						  : JOB_FAILED;
}

/* What others made of their resources does not matter: what cannot be added up counts as none. */
static int set_held(struct job *j, const Framework *f)
{
	struct resources *held = NULL;

	int r = resources_from_pb(f->allocated_resources, f->n_allocated_resources, &held, NULL);
	if (r == 0) {
		j->cpus_milli = resources_milli(held, "cpus");
		j->mem_milli = resources_milli(held, "mem");
	}
	(void)resources_free(held);
	return r == -ENOMEM ? r : 0;
}

static int add(const Framework *f, bool over, job_list *to)
{
	const Mesos__V1__FrameworkInfo *info = f->framework_info;
	const char *mode = label(info, SCHED_LABEL_MODE);

	if (mode == NULL || info->id == NULL)
		return 0;
	struct job j = { .id = info->id->value,
		.name = info->name,
		.user = info->user,
		.mode = mode,
		.host = or_empty(info->hostname),
		.agent = label(info, LABEL_AGENT),
		.sandbox = label(info, LABEL_SANDBOX),
		.started_ms = ms_of(f->registered_time),
		.ended_ms = ms_of(f->unregistered_time) };
	if (j.agent == NULL || j.sandbox == NULL)
		j.agent = j.sandbox = NULL;
	set_state(&j, f, over);
	set_log(&j, label(info, LABEL_LOG));
	int r = set_held(&j, f);
	return r < 0 ? r : vec_push(to, j);
}

/* Those that run first, then the latest. */
static int compare(const void *a, const void *b)
{
	const struct job *x = a, *y = b;
	int over_x = job_is_over(x), over_y = job_is_over(y);

	if (over_x != over_y)
		return over_x - over_y;
	if (x->started_ms != y->started_ms)
		return x->started_ms > y->started_ms ? -1 : 1;
	return strcmp(y->id, x->id);
}

int jobs_list(const Mesos__V1__Master__Response *from, job_list *ret)
{
	const Mesos__V1__Master__Response__GetFrameworks *all = from->get_frameworks;
	int r = 0;

	*ret = (job_list){ 0 };
	for (size_t i = 0; r == 0 && all != NULL && i < all->n_frameworks; i++)
		r = add(all->frameworks[i], false, ret);
	for (size_t i = 0; r == 0 && all != NULL && i < all->n_completed_frameworks; i++)
		r = add(all->completed_frameworks[i], true, ret);
	if (r < 0)
		vec_deinit(ret);
	else if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), compare);
	return r;
}

static bool ends_in(const char *id, const char *text)
{
	size_t len = strlen(id), n = strlen(text);

	return n > 0 && n < len && id[len - n - 1] == '-' && strcmp(id + len - n, text) == 0;
}

int jobs_find(const job_list *jobs, const char *text, const struct job **ret, struct err *err)
{
	const struct job *found = NULL;

	for (size_t i = 0; i < jobs->n; i++) {
		const struct job *j = &jobs->at[i];

		if (strcmp(j->id, text) == 0) {
			*ret = j;
			return 0;
		}
		if (!ends_in(j->id, text))
			continue;
		if (found != NULL)
			return err_set(err, -EINVAL, "'%s' is the end of several jobs' ids: %s, %s", text,
				found->id, j->id);
		found = j;
	}
	if (found == NULL)
		return err_set(err, -ENOENT,
			"the master knows no job '%s': `quern ps -a` lists those that it does", text);
	*ret = found;
	return 0;
}

bool job_is_over(const struct job *j)
{
	return j->state != JOB_RUNNING && j->state != JOB_AWAY;
}

const char *job_state_name(enum job_state state)
{
	static const char *const names[] = { [JOB_RUNNING] = "running",
		[JOB_AWAY] = "away",
		[JOB_DONE] = "done",
		[JOB_FAILED] = "failed",
		[JOB_INTERRUPTED] = "interrupted",
		[JOB_KILLED] = "killed" };

	return names[state];
}
