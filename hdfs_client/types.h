/* types.h: what HDFS says of its files. */
#ifndef QUERN_HDFS_CLIENT_TYPES_H
#define QUERN_HDFS_CLIENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HDFS_DEFAULT_PERMISSION = -1 }; /* in place of mode bits: HDFS chooses */

enum hdfs_kind { HDFS_FILE, HDFS_FOLDER, HDFS_SYMLINK };

/* A FileStatus of WebHDFS. */
struct hdfs_status {
	char *path; /* absolute, without the authority */
	enum hdfs_kind kind;
	uint64_t length; /* bytes; 0 of a folder */
	uint64_t block_size;
	uint64_t modified_ms, accessed_ms; /* since 1970 */
	uint32_t replication;
	uint16_t permission; /* mode bits, the sticky one included */
	uint64_t id;         /* of the file itself, whatever it is called; 0: not known (HttpFS) */
	char *owner, *group;
};

/* {0} is empty. */
struct hdfs_listing {
	struct hdfs_status *at; /* in the order of their names as bytes */
	size_t n, cap;
};

/* A ContentSummary. */
struct hdfs_summary {
	uint64_t folders, files;
	uint64_t length;            /* bytes of the files */
	uint64_t space_consumed;    /* the same, with every replica */
	int64_t quota, space_quota; /* -1: none */
};

struct hdfs_replica {
	char *host;    /* name of the DataNode, as it calls itself */
	char *address; /* as the NameNode sees it: "10.0.0.1" */
	uint16_t port; /* of data transfer, which is no HTTP */
};

/* A BlockLocation. */
struct hdfs_block {
	uint64_t offset, length;
	struct hdfs_replica *replicas;
	size_t n;
	bool corrupt;
};

/* {0} is empty. */
struct hdfs_blocks {
	struct hdfs_block *at; /* in the order of the file */
	size_t n, cap;
};

/* A FileChecksum, as `hdfs dfs -checksum` prints it. */
struct hdfs_checksum {
	char *algorithm;
	char *hex;
};

/* Appends what is taken over from `s`. 0 or -ENOMEM, and then nothing was taken. */
int hdfs_listing_add(struct hdfs_listing *l, struct hdfs_status *s);

/* Puts the names in their order. */
void hdfs_listing_sort(struct hdfs_listing *l);

/* All leave {0}. */
void hdfs_status_deinit(struct hdfs_status *s);
void hdfs_listing_deinit(struct hdfs_listing *l);
void hdfs_blocks_deinit(struct hdfs_blocks *b);
void hdfs_checksum_deinit(struct hdfs_checksum *c);

#endif
