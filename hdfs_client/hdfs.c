#include "hdfs_client/hdfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/pool.h"

/* Operations that are answered with success alone. */
static int order(struct hdfs *fs, const struct hdfs_ask *ask, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, ask, &answer, err);

	if (k == 0)
		hdfs_answer_deinit(&answer);
	return k;
}

int hdfs_stat(struct hdfs *fs, const char *path, struct hdfs_status *ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &(struct hdfs_ask){ .op = HDFS_OP_STAT, .path = path }, &answer, err);

	if (k == 0)
		*ret = answer.status;
	return k;
}

int hdfs_list(struct hdfs *fs, const char *path, struct hdfs_listing *ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &(struct hdfs_ask){ .op = HDFS_OP_LIST, .path = path }, &answer, err);

	if (k < 0)
		return k;
	size_t before = ret->n;
	for (size_t i = 0; i < answer.listing.n && k == 0; i++)
		k = hdfs_listing_add(ret, &answer.listing.at[i]);
	hdfs_answer_deinit(&answer);
	if (k < 0) {
		while (ret->n > before)
			hdfs_status_deinit(&ret->at[--ret->n]);
		return err_set(err, k, "out of memory");
	}
	return 0;
}

int hdfs_summary(struct hdfs *fs, const char *path, struct hdfs_summary *ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &(struct hdfs_ask){ .op = HDFS_OP_SUMMARY, .path = path }, &answer, err);

	if (k == 0)
		*ret = answer.summary;
	return k;
}

int hdfs_locate(struct hdfs *fs, const char *path, uint64_t offset, uint64_t length, struct hdfs_blocks *ret,
	struct err *err)
{
	const struct hdfs_ask ask = {
		.op = HDFS_OP_LOCATE, .path = path, .offset = offset, .length = length
	};
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &ask, &answer, err);

	if (k == 0)
		*ret = answer.blocks;
	return k;
}

int hdfs_checksum(struct hdfs *fs, const char *path, struct hdfs_checksum *ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &(struct hdfs_ask){ .op = HDFS_OP_CHECKSUM, .path = path }, &answer, err);

	if (k == 0)
		*ret = answer.checksum;
	return k;
}

int hdfs_home(struct hdfs *fs, char **ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(fs, &(struct hdfs_ask){ .op = HDFS_OP_HOME }, &answer, err);

	if (k == 0)
		*ret = answer.text;
	return k;
}

int hdfs_mkdirs(struct hdfs *fs, const char *path, int permission, struct err *err)
{
	return order(
		fs, &(struct hdfs_ask){ .op = HDFS_OP_MKDIRS, .path = path, .permission = permission }, err);
}

int hdfs_rename(struct hdfs *fs, const char *from, const char *to, struct err *err)
{
	return order(fs, &(struct hdfs_ask){ .op = HDFS_OP_RENAME, .path = from, .to = to }, err);
}

int hdfs_delete(struct hdfs *fs, const char *path, bool recursive, struct err *err)
{
	return order(
		fs, &(struct hdfs_ask){ .op = HDFS_OP_DELETE, .path = path, .recursive = recursive }, err);
}

int hdfs_set_permission(struct hdfs *fs, const char *path, uint16_t permission, struct err *err)
{
	return order(fs,
		&(struct hdfs_ask){ .op = HDFS_OP_SET_PERMISSION, .path = path, .permission = permission },
		err);
}

int hdfs_set_times(
	struct hdfs *fs, const char *path, uint64_t modified_ms, uint64_t accessed_ms, struct err *err)
{
	const struct hdfs_ask ask = {
		.op = HDFS_OP_SET_TIMES, .path = path, .modified_ms = modified_ms, .accessed_ms = accessed_ms
	};

	return order(fs, &ask, err);
}

int hdfs_set_replication(struct hdfs *fs, const char *path, uint32_t replication, struct err *err)
{
	return order(fs,
		&(struct hdfs_ask){ .op = HDFS_OP_SET_REPLICATION, .path = path, .replication = replication },
		err);
}

int hdfs_concat(struct hdfs *fs, const char *target, const char *const *sources, size_t n, struct err *err)
{
	return order(fs,
		&(struct hdfs_ask){
			.op = HDFS_OP_CONCAT, .path = target, .sources = sources, .n_sources = n },
		err);
}

/* ---- Delegation tokens ---- */

int hdfs_token_get(struct hdfs *fs, const char *renewer, char **ret, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(
		fs, &(struct hdfs_ask){ .op = HDFS_OP_TOKEN_GET, .renewer = renewer }, &answer, err);

	if (k == 0)
		*ret = answer.text;
	return k;
}

int hdfs_token_renew(struct hdfs *fs, const char *token, uint64_t *ret_expires_ms, struct err *err)
{
	struct hdfs_answer answer;
	int k = hdfs_wait_for(
		fs, &(struct hdfs_ask){ .op = HDFS_OP_TOKEN_RENEW, .token = token }, &answer, err);

	if (k == 0)
		*ret_expires_ms = answer.expires_ms;
	return k;
}

int hdfs_token_cancel(struct hdfs *fs, const char *token, struct err *err)
{
	return order(fs, &(struct hdfs_ask){ .op = HDFS_OP_TOKEN_CANCEL, .token = token }, err);
}
