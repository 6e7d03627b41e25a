#include "cli/job_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whether a job that was there is given more time. */
static bool is_patient(struct job_follow *f)
{
	uint64_t most = f->c->cluster.master_timeout_ms, now = now_ms();

	if (f->id == NULL)
		return false;
	if (f->missing_since_ms == 0)
		f->missing_since_ms = now;
	return most == 0 || now - f->missing_since_ms < most;
}

int job_follow_look(struct job_follow *f, const char *text, struct jobs_answer *a, const struct job **ret,
	struct err *err)
{
	*ret = NULL;
	int r = jobs_ask(f->c, a, err);
	if (r == -EHOSTUNREACH && is_patient(f)) {
		*a = (struct jobs_answer){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	r = jobs_find(&a->jobs, f->id != NULL ? f->id : text, ret, err);
	if (r == -ENOENT && is_patient(f))
		return 0;
	if (r == 0 && f->id == NULL && (f->id = strdup((*ret)->id)) == NULL)
		r = err_set(err, -ENOMEM, "out of memory");
	f->missing_since_ms = r == 0 ? 0 : f->missing_since_ms;
	if (r < 0)
		jobs_answer_deinit(a);
	return r;
}

void job_follow_pause(unsigned round)
{
	long ms = round < 4 ? 100L << round : 1000;
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

void job_follow_deinit(struct job_follow *f)
{
	free(f->id);
	f->id = NULL;
}
