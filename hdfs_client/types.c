#include "hdfs_client/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

int hdfs_listing_add(struct hdfs_listing *l, struct hdfs_status *s)
{
	int r = vec_push(l, *s);

	if (r == 0)
		*s = (struct hdfs_status){ 0 };
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct hdfs_status *)a)->path, ((const struct hdfs_status *)b)->path);
}

void hdfs_listing_sort(struct hdfs_listing *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (by_path(&l->at[i - 1], &l->at[i]) > 0) { /* rarely: a NameNode has them in order */
			qsort(l->at, l->n, sizeof(*l->at), by_path);
			return;
		}
}

void hdfs_status_deinit(struct hdfs_status *s)
{
	free(s->path);
	free(s->owner);
	free(s->group);
	*s = (struct hdfs_status){ 0 };
}

void hdfs_listing_deinit(struct hdfs_listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		hdfs_status_deinit(&l->at[i]);
	vec_deinit(l);
}

void hdfs_blocks_deinit(struct hdfs_blocks *b)
{
	for (size_t i = 0; i < b->n; i++) {
		for (size_t k = 0; k < b->at[i].n; k++) {
			free(b->at[i].replicas[k].host);
			free(b->at[i].replicas[k].address);
		}
		free(b->at[i].replicas);
	}
	vec_deinit(b);
}

void hdfs_checksum_deinit(struct hdfs_checksum *c)
{
	free(c->algorithm);
	free(c->hex);
	*c = (struct hdfs_checksum){ 0 };
}
