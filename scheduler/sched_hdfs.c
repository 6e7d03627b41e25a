/* sched_hdfs.c: how executors reach HDFS: bytes that are opaque here and have secrets in them, for the stages
 * that have files there and no others. What is new goes ahead of an executor's next task of such a stage. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_parts.h"

void sched_hdfs_deinit(struct sched *s)
{
	if (s->hdfs.data != NULL)
		explicit_bzero(s->hdfs.data, s->hdfs.len);
	free(s->hdfs.data);
	s->hdfs = (ProtobufCBinaryData){ 0 };
}

int sched_hdfs_set(struct sched *s, const void *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		return -ENOMEM;
	if (len > 0)
		memcpy(copy, data, len);
	sched_hdfs_deinit(s);
	s->hdfs = (ProtobufCBinaryData){ .data = copy, .len = len };
	s->hdfs_version++;
	return 0;
}

bool sched_hdfs_stale(const struct sched *s, const struct executor *e, const struct stage *stage)
{
	return e->hdfs_version != s->hdfs_version && stage_remote(stage->message);
}

void sched_hdfs_fill(const struct sched *s, struct executor *e, const struct stage *stage,
	Quern__ToExecutor__StageInfo *info)
{
	if (!sched_hdfs_stale(s, e, stage))
		return;
	info->has_hdfs = 1;
	info->hdfs = s->hdfs;
	e->hdfs_version = s->hdfs_version;
}
