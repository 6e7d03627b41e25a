#include "executor/keep.h"

#include <stdlib.h>

enum {
	KEEP_SLOTS_MAX = 16 << 20,  /* bytes: more is given back */
	KEEP_HDFS_AHEAD = 24 << 20, /* bytes of a file that are read ahead: little of a task's memory */
};

ZSTD_CCtx *keep_compress(struct keep *k)
{
	if (k->compress == NULL)
		k->compress = ZSTD_createCCtx();
	return k->compress;
}

ZSTD_DCtx *keep_decompress(struct keep *k)
{
	if (k->decompress == NULL)
		k->decompress = ZSTD_createDCtx();
	return k->decompress;
}

void *keep_take_slots(struct keep *k, size_t size, size_t *ret_size)
{
	void *slots = k->slots;

	if (slots == NULL || k->slots_size < size)
		return NULL;
	*ret_size = k->slots_size;
	k->slots = NULL;
	k->slots_size = 0;
	return slots;
}

void keep_give_slots(struct keep *k, void *slots, size_t size)
{
	if (size > KEEP_SLOTS_MAX || size <= k->slots_size) {
		free(slots);
		return;
	}
	free(k->slots);
	k->slots = slots;
	k->slots_size = size;
}

int keep_set_access(struct keep *k, const void *data, size_t len)
{
	struct hdfs_access access;

	int r = hdfs_access_unpack(data, len, &access, NULL);
	if (r < 0)
		return r;
	k->hdfs = hdfs_pool_free(k->hdfs);
	hdfs_access_deinit(&k->access);
	k->access = access;
	k->access.known = true; /* the driver has looked at its files there */
	return 0;
}

int keep_hdfs(struct keep *k, struct hdfs_pool **ret, struct err *err)
{
	if (k->hdfs == NULL) {
		int r = hdfs_pool_new(&k->access, &k->hdfs, err);
		if (r < 0)
			return r;
		hdfs_pool_set_memory(k->hdfs, KEEP_HDFS_AHEAD);
	}
	*ret = k->hdfs;
	return 0;
}

void keep_deinit(struct keep *k)
{
	(void)hdfs_pool_free(k->hdfs);
	hdfs_access_deinit(&k->access);
	free(k->slots);
	(void)ZSTD_freeCCtx(k->compress);
	(void)ZSTD_freeDCtx(k->decompress);
	*k = (struct keep){ 0 };
}
