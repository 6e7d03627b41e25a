/* Blocks of many files: asked for at the same time, as an answer takes a round trip each. */
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "hdfs_client/pool.h"

enum { AT_A_TIME = 32 /* a NameNode answers some thousand a second */ };

struct many;

/* A question that is asked again and again, for another file each time. */
struct lane {
	struct many *m;
	size_t file;
};

/* On the stack of who waits. */
struct many {
	struct hdfs *fs;
	const char *const *paths;
	size_t n, next; /* files, and which one nobody has asked for yet */
	struct hdfs_blocks *ret;
	struct lane lanes[AT_A_TIME];
	size_t under_way;
	int result; /* the first error */
	struct err *err;
	bool over;
};

static void failed(struct many *m, int k, const struct err *err)
{
	if (m->result == 0) {
		m->result = k;
		if (m->err != NULL)
			*m->err = *err;
	}
	m->next = m->n;
}

static void on_blocks(void *arg, int k, struct hdfs_answer *answer, const struct err *err);

/* Asks for the next file. The end, when there is none and all others have been answered. */
static void go_on(struct lane *l)
{
	struct many *m = l->m;

	while (m->next < m->n) {
		const struct hdfs_ask ask = {
			.op = HDFS_OP_LOCATE, .path = m->paths[m->next], .length = UINT64_MAX
		};
		struct err err;

		l->file = m->next++;
		int k = hdfs_fs_ask(m->fs->fs, &ask, on_blocks, l, NULL, &err);
		if (k == 0) {
			m->under_way++;
			return;
		}
		failed(m, k, &err);
	}
}

static void on_blocks(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct lane *l = arg;
	struct many *m = l->m;

	m->under_way--;
	if (k < 0) {
		failed(m, k, err);
	} else {
		m->ret[l->file] = answer->blocks;
		answer->blocks = (struct hdfs_blocks){ 0 };
	}
	go_on(l);
	if (m->under_way == 0)
		hdfs_thread_finish(m->fs->thread, &m->over);
}

static void begin(void *arg)
{
	struct many *m = arg;
	struct err err;

	int k = hdfs_ready(m->fs, &err);
	if (k < 0)
		failed(m, k, &err);
	for (size_t i = 0; i < AT_A_TIME; i++) {
		m->lanes[i].m = m;
		go_on(&m->lanes[i]);
	}
	if (m->under_way == 0)
		hdfs_thread_finish(m->fs->thread, &m->over);
}

int hdfs_locate_many(
	struct hdfs *fs, const char *const *paths, size_t n, struct hdfs_blocks *ret, struct err *err)
{
	struct many m = { .fs = fs, .paths = paths, .n = n, .ret = ret, .err = err };
	struct hdfs_job job = { .run = begin, .arg = &m };

	for (size_t i = 0; i < n; i++)
		ret[i] = (struct hdfs_blocks){ 0 };
	int k = hdfs_begin(fs, err);
	if (k < 0)
		return k;
	hdfs_thread_call(fs->thread, &job, &m.over);
	for (size_t i = 0; i < n && m.result < 0; i++)
		hdfs_blocks_deinit(&ret[i]);
	return m.result;
}
