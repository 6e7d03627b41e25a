#include "cli/hosting.h"

#include <stdint.h>

#include "scheduler/sched.h"

static void add(struct job_labels *l, const char *key, const char *value)
{
	Mesos__V1__Label *one = &l->at[l->labels.n_labels];

	mesos__v1__label__init(one);
	one->key = (char *)(uintptr_t)key;
	one->value = (char *)(uintptr_t)value;
	l->list[l->labels.n_labels++] = one;
}

void job_labels_init(struct job_labels *l, const char *mode, const struct hosting *h)
{
	mesos__v1__labels__init(&l->labels);
	l->labels.labels = l->list;
	add(l, SCHED_LABEL_MODE, mode);
	if (h == NULL)
		return;
	add(l, LABEL_AGENT, h->agent);
	add(l, LABEL_SANDBOX, h->sandbox);
	add(l, LABEL_LOG, h->log_from);
}
