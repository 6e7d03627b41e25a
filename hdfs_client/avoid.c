#include "hdfs_client/avoid.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void drop(struct hdfs_avoid *a, size_t i)
{
	free(a->at[i].host);
	a->n--;
	memmove(&a->at[i], &a->at[i + 1], (a->n - i) * sizeof(a->at[0]));
}

void hdfs_avoid_add(struct hdfs_avoid *a, const char *host, uint64_t now_ms)
{
	for (size_t i = a->n; i-- > 0;)
		if (strcmp(a->at[i].host, host) == 0)
			drop(a, i);
	if (a->n == HDFS_AVOID_MAX)
		drop(a, 0);
	char *copy = strdup(host);
	if (copy == NULL)
		return;
	a->at[a->n].host = copy;
	a->at[a->n++].until_ms = now_ms + HDFS_AVOID_MS;
}

bool hdfs_avoid_has(const struct hdfs_avoid *a, const char *host)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->at[i].host, host) == 0)
			return true;
	return false;
}

size_t hdfs_avoid_names(struct hdfs_avoid *a, uint64_t now_ms, const char *ret[static HDFS_AVOID_MAX])
{
	while (a->n > 0 && a->at[0].until_ms <= now_ms) /* the oldest comes first */
		drop(a, 0);
	for (size_t i = 0; i < a->n; i++)
		ret[i] = a->at[i].host;
	return a->n;
}

void hdfs_avoid_deinit(struct hdfs_avoid *a)
{
	while (a->n > 0)
		drop(a, a->n - 1);
}

uint64_t hdfs_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
