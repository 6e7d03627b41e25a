/* sched_status.c: what became of the job, as a label of its framework. The master remembers frameworks that
 * are over, with their labels: so whoever asks it later hears how a job ended, with one light question. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/sched_parts.h"

/* What was said at the subscription, with one label more. */
static int send(struct sched *s, const Mesos__V1__Scheduler__Call *said)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__UpdateFramework update =
		MESOS__V1__SCHEDULER__CALL__UPDATE_FRAMEWORK__INIT;
	Mesos__V1__FrameworkInfo info = *said->subscribe->framework_info;
	Mesos__V1__Labels labels = MESOS__V1__LABELS__INIT;
	Mesos__V1__Label status = MESOS__V1__LABEL__INIT;
	size_t n = info.labels != NULL ? info.labels->n_labels : 0;
	char text[16];

	labels.labels = calloc(n + 1, sizeof(*labels.labels));
	if (labels.labels == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		labels.labels[labels.n_labels++] = info.labels->labels[i];
	(void)snprintf(text, sizeof(text), "%d", s->status);
	status.key = (char *)(uintptr_t)SCHED_LABEL_STATUS;
	status.value = text;
	labels.labels[labels.n_labels++] = &status;
	info.labels = &labels;
	update.framework_info = &info;
	update.suppressed_roles = info.roles; /* no more offers */
	update.n_suppressed_roles = info.n_roles;
	call.framework_id = said->framework_id;
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK;
	call.update_framework = &update;
	int r = sched_plan_message(s, SCHED_DO_CALL, NULL, &call.base);
	free(labels.labels);
	return r;
}

int sched_call_status(struct sched *s)
{
	struct buf bytes = BUF_INIT(SIZE_MAX);
	Mesos__V1__Scheduler__Call *said = NULL;

	int r = sched_subscribe_call(s, &bytes);
	if (r == 0)
		said = mesos__v1__scheduler__call__unpack(NULL, bytes.len, bytes.data);
	if (r == 0)
		r = said != NULL ? send(s, said) : -ENOMEM;
	if (said != NULL)
		mesos__v1__scheduler__call__free_unpacked(said, NULL);
	buf_deinit(&bytes);
	return r;
}
