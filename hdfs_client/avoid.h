/* avoid.h: DataNodes that did badly a little while ago, so that nobody tries each of them for each of many
 * files. */
#ifndef QUERN_HDFS_CLIENT_AVOID_H
#define QUERN_HDFS_CLIENT_AVOID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HDFS_AVOID_MAX = 16,       /* the oldest is forgotten */
	HDFS_AVOID_MS = 60 * 1000, /* for so long: a DataNode that was started again is soon back */
};

/* {0} is empty. */
struct hdfs_avoid {
	struct {
		char *host;
		uint64_t until_ms;
	} at[HDFS_AVOID_MAX];
	size_t n;
};

/* Out of memory: it is not remembered. */
void hdfs_avoid_add(struct hdfs_avoid *a, const char *host, uint64_t now_ms);

/* Whether it is one of them: they were not heeded. */
bool hdfs_avoid_has(const struct hdfs_avoid *a, const char *host);

/* Those that are to be avoided now: fills `ret`, borrowed until the list changes, and returns how many. */
size_t hdfs_avoid_names(struct hdfs_avoid *a, uint64_t now_ms, const char *ret[static HDFS_AVOID_MAX]);

/* Forgets all: there is nobody else. */
void hdfs_avoid_deinit(struct hdfs_avoid *a);

/* Milliseconds of a clock that only goes forward. */
uint64_t hdfs_now_ms(void);

#endif
