/* answer.h: WebHDFS's JSON answers. Nothing in them is trusted: fields that are missing, of another type or
 * out of range, names with slashes and the like are -EBADMSG with a sentence that names the field; unknown
 * fields are passed over. -ENOMEM besides. Outputs are untouched then, but for a listing and blocks: what was
 * appended stays. */
#ifndef QUERN_HDFS_CLIENT_ANSWER_H
#define QUERN_HDFS_CLIENT_ANSWER_H

#include "base/err.h"
#include "hdfs_client/types.h"

enum { HDFS_REPLICAS_MAX = 512 }; /* dfs.replication.max; its own default */

/* A JSON text. */
struct hdfs_json {
	const void *data;
	size_t len;
};

/* A FileStatus; `path`: of what was asked. */
int hdfs_answer_status(struct hdfs_json j, const char *path, struct hdfs_status *ret, struct err *err);

/* FileStatuses, or a DirectoryListing of LISTSTATUS_BATCH; `path` is a folder's, or a file's, which is all
 * its listing has. Appends. *ret_more: entries that are left for the next batch. */
int hdfs_answer_listing(
	struct hdfs_json j, const char *path, struct hdfs_listing *to, uint64_t *ret_more, struct err *err);

int hdfs_answer_summary(struct hdfs_json j, struct hdfs_summary *ret, struct err *err);

/* BlockLocations, or LocatedBlocks (of GET_BLOCK_LOCATIONS, in clusters that know no other). Appends. */
int hdfs_answer_blocks(struct hdfs_json j, struct hdfs_blocks *to, struct err *err);

/* What /jmx of a NameNode says of its DataNodes (the bean NameNodeInfo): to `found` their names, addresses
 * and ports, borrowed during the call; not 0: ends it, as its own result. Nothing, where there is no such
 * bean. */
int hdfs_answer_nodes(struct hdfs_json j,
	int (*found)(void *arg, const char *host, const char *address, uint16_t port), void *arg,
	struct err *err);

int hdfs_answer_checksum(struct hdfs_json j, struct hdfs_checksum *ret, struct err *err);

/* {"boolean": ...}, {"long": ...} */
int hdfs_answer_boolean(struct hdfs_json j, bool *ret, struct err *err);
int hdfs_answer_long(struct hdfs_json j, uint64_t *ret, struct err *err);

/* Texts, which the caller frees: {"Path": ...}, {"Location": ...}, the urlString of {"Token": ...}, which is
 * NULL where there is none. */
int hdfs_answer_home(struct hdfs_json j, char **ret, struct err *err);
int hdfs_answer_location(struct hdfs_json j, char **ret, struct err *err);
int hdfs_answer_token(struct hdfs_json j, char **ret, struct err *err);

#endif
