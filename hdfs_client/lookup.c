/* lookup.c: whether something took place whose answer was lost. */
#include <errno.h>

#include "hdfs_client/fs_parts.h"

/* What a stat says: 1: it is there; 0: it is not; or it cannot be told, and the call has ended. */
static int there(struct hdfs_call *c, int r, const struct err *err)
{
	c->child = NULL;
	if (r == 0 || r == -ENOENT)
		return r == 0;
	if (c->cancelled || r == -ENOMEM) {
		(void)err_set(&c->err, r, "out of memory");
		hdfs_call_finish(c, c->cancelled ? -ECANCELED : r);
		return -1;
	}
	(void)err_set(&c->err, -ECANCELED,
		"the answer was lost, and whether it took place cannot be told: %s", err->text);
	hdfs_call_finish(c, -ECANCELED);
	return -1;
}

static void look(struct hdfs_call *c, const char *path,
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err))
{
	int r = hdfs_call_stat(c, path, done);

	if (r < 0) {
		(void)err_set(&c->err, r, "out of memory");
		hdfs_call_finish(c, r);
	}
}

/* ---- rename ---- */

static void on_to(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_call *c = arg;
	int to_there = there(c, r, err);

	(void)answer;
	if (to_there < 0)
		return;
	if (!c->from_there && to_there && c->retry.uncertain) {
		hdfs_call_finish(c, 0);
	} else if (c->from_there && to_there && !c->final_look) {
		(void)err_set(&c->err, -ECANCELED,
			"the answer was lost, and whether it took place cannot be told: both are there");
		hdfs_call_finish(c, -ECANCELED);
	} else {
		if (c->final_look && c->from_there && to_there)
			c->refusal = (struct hdfs_refusal){ .code = -EEXIST,
				.text = "the new name exists already" };
		hdfs_call_undone(c);
	}
}

static void on_from(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_call *c = arg;
	int from_there = there(c, r, err);

	(void)answer;
	if (from_there < 0)
		return;
	c->from_there = from_there;
	look(c, c->ask.to, on_to);
}

int hdfs_look_up_rename(struct hdfs_call *c)
{
	return hdfs_call_stat(c, c->ask.path, on_from);
}

static void on_check(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_call *c = arg;

	(void)answer;
	c->child = NULL;
	c->looked = true;
	if (r == -ENOENT) {
		hdfs_call_again(c, 0);
		return;
	}
	if (r == 0)
		(void)err_set(&c->err, r = -EEXIST, "the new name exists already");
	else
		(void)err_set(&c->err, r, "%s", err->text);
	hdfs_call_finish(c, r);
}

/* ---- delete, concat ---- */

static void on_meant(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_call *c = arg;

	c->child = NULL;
	c->looked = true;
	if (r == 0) {
		c->id = answer->status.id;
		hdfs_call_again(c, 0);
		return;
	}
	c->err = *err;
	c->named = true;
	hdfs_call_finish(c, r);
}

int hdfs_look_before(struct hdfs_call *c)
{
	return c->ask.op == HDFS_OP_DELETE ? hdfs_call_stat(c, c->ask.path, on_meant)
					   : hdfs_call_stat(c, c->ask.to, on_check);
}

static void on_gone(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_call *c = arg;
	int is_there = there(c, r, err);

	if (is_there < 0)
		return;
	/* What somebody has put there since is not what was meant. */
	bool another = is_there && c->id != 0 && answer->status.id != c->id;
	if (is_there && !another)
		hdfs_call_undone(c);
	else
		hdfs_call_finish(c, 0);
}

int hdfs_look_up_delete(struct hdfs_call *c)
{
	return hdfs_call_stat(c, c->ask.path, on_gone);
}

int hdfs_look_up_concat(struct hdfs_call *c)
{
	return hdfs_call_stat(c, c->ask.sources[0], on_gone);
}
