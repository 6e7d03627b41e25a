/* session_serve.c: the job's side of a session: quern_main() and its actions, over a blocking socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/vec.h"
#include "job/graph.h"
#include "job/session.h"

enum { READ_SIZE = 64 << 10 }; /* bytes asked of the socket at a time */

struct channel {
	int fd;
	struct session_reader reader;
	uint8_t bytes[READ_SIZE]; /* read, `left` of them from `at` on not looked at */
	const uint8_t *at;
	size_t left;
	quern_job *job;
};

/* The results of an action. Partitions end in any order; the job sees them in theirs. */
struct results {
	VEC(Quern__SessionToJob *) early; /* from `first` on: of partitions behind `next`, by partition */
	size_t first;
	uint32_t next;
	bool cancelled;
	job_result_fn *give;
	void *arg;
};

static int send_all(struct channel *c, const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		ssize_t n = send(c->fd, b->data + at, b->len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			at += (size_t)n;
	}
	return 0;
}

/* Waits for the next message. 0; -ECONNRESET without a sentence: the driver is gone. */
static int receive(struct channel *c, Quern__SessionToJob **ret, struct err *err)
{
	ProtobufCMessage *m;

	for (;;) {
		int r = session_feed(&c->reader, &c->at, &c->left, &m, err);
		if (r < 0)
			return err_prefix(err, r, "the driver's answer");
		if (r > 0) {
			*ret = (Quern__SessionToJob *)m;
			return 0;
		}
		ssize_t n = recv(c->fd, c->bytes, sizeof(c->bytes), 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return -ECONNRESET;
		c->at = c->bytes;
		c->left = n > 0 ? (size_t)n : 0;
	}
}

static void message_free(Quern__SessionToJob *m)
{
	quern__session_to_job__free_unpacked(m, NULL);
}

/* ---- Results in order ---- */

/* Keeps a result until its turn comes. Its place is looked for from the end: most come nearly in order.
 * -EEXIST: there is or was one of its partition. */
static int results_keep(struct results *rs, Quern__SessionToJob *m)
{
	uint32_t partition = m->result->partition;
	size_t i = rs->early.n;

	while (i > rs->first && rs->early.at[i - 1]->result->partition > partition)
		i--;
	if (partition < rs->next || (i > rs->first && rs->early.at[i - 1]->result->partition == partition))
		return -EEXIST;
	int r = vec_push(&rs->early, m);
	if (r < 0)
		return r;
	memmove(&rs->early.at[i + 1], &rs->early.at[i], (rs->early.n - 1 - i) * sizeof(*rs->early.at));
	rs->early.at[i] = m;
	return 0;
}

/* Gives a result to the action. Frees it. non-zero: cancel. */
static int results_give(struct results *rs, Quern__SessionToJob *m)
{
	int r = rs->give(rs->arg, m->result->partition, m->result->data.data, m->result->data.len);

	rs->next = m->result->partition + 1;
	message_free(m);
	return r;
}

/* Gives what is next, or, at the end, all that is left. */
static int results_flush(struct results *rs, bool end)
{
	int r = 0;

	while (r == 0 && rs->first < rs->early.n) {
		Quern__SessionToJob *m = rs->early.at[rs->first];

		if (!end && m->result->partition != rs->next)
			break;
		rs->first++;
		if (rs->first == rs->early.n)
			rs->first = rs->early.n = 0;
		r = results_give(rs, m);
	}
	return r;
}

static void results_deinit(struct results *rs)
{
	for (size_t i = rs->first; i < rs->early.n; i++)
		message_free(rs->early.at[i]);
	vec_deinit(&rs->early);
}

/* ---- Actions ---- */

static int send_cancel(struct channel *c, uint32_t run)
{
	auto_buf struct buf b = BUF_INIT(64);

	int r = session_put_cancel(&b, run);
	return r < 0 ? r : send_all(c, &b);
}

/* One result. Takes the message. */
static int take_result(struct channel *c, struct results *rs, Quern__SessionToJob *m, struct err *err)
{
	uint32_t run = m->result->run;

	if (rs->cancelled) {
		message_free(m);
		return 0;
	}
	int r = results_keep(rs, m);
	if (r < 0) {
		message_free(m);
		return r == -EEXIST ? err_set(err, -EBADMSG,
					      "the driver's answer: a partition's result came twice")
				    : err_set(err, r, "out of memory");
	}
	if (results_flush(rs, false) == 0)
		return 0;
	rs->cancelled = true;
	return send_cancel(c, run);
}

/* From the Run's leaving to its Done. */
static int run_to_end(struct channel *c, struct results *rs, uint32_t run, struct err *err)
{
	for (;;) {
		Quern__SessionToJob *m = NULL;

		int r = receive(c, &m, err);
		if (r < 0)
			return r;
		if (m->result != NULL && m->result->run == run) {
			r = take_result(c, rs, m, err);
			if (r < 0)
				return r;
			continue;
		}
		bool done = m->done != NULL && m->done->run == run;
		int code = done ? m->done->code : 0;
		if (done) {
			job_take_totals(c->job, m->done->totals, m->done->n_totals);
			m->done->totals = NULL;
			m->done->n_totals = 0;
		}
		message_free(m);
		if (!done)
			return err_set(err, -EBADMSG, "the driver's answer: of another action");
		if (rs->cancelled)
			return 0;
		if (code == 0)
			(void)results_flush(rs, true);
		return code < 0 ? 1 : code;
	}
}

static int run_action(
	void *arg, const Quern__Run *run, job_result_fn *result, void *result_arg, struct err *err)
{
	struct channel *c = arg;
	struct results rs = { .next = run->first_partition, .give = result, .arg = result_arg };
	auto_buf struct buf b = BUF_INIT(SESSION_TO_DRIVER_MAX + 16);

	int r = session_put_run(&b, run);
	if (r == -EMSGSIZE)
		return err_set(err, r,
			"%s: with the arguments of its functions and the records in memory it takes more "
			"than %d MiB: put large ones into files",
			run->name, SESSION_TO_DRIVER_MAX >> 20);
	if (r < 0)
		return err_set(err, r, "out of memory");
	r = send_all(c, &b);
	buf_deinit(&b);
	if (r == 0)
		r = run_to_end(c, &rs, run->id, err);
	results_deinit(&rs);
	return r;
}

static int unpersist(void *arg, uint32_t cache)
{
	struct channel *c = arg;
	auto_buf struct buf b = BUF_INIT(64);

	int r = session_put_unpersist(&b, cache);
	return r < 0 ? r : send_all(c, &b);
}

/* ---- Broadcasts ---- */

static int taken(struct channel *c, uint32_t broadcast, struct err *err)
{
	Quern__SessionToJob *m = NULL;

	int r = receive(c, &m, err);
	if (r < 0)
		return r;
	if (m->taken == NULL || m->taken->broadcast != broadcast)
		r = err_set(err, -EBADMSG, "the driver's answer: not to a broadcast");
	else if (m->taken->error != NULL)
		r = err_set(err, -EIO, "%s", m->taken->error);
	message_free(m);
	return r;
}

static int broadcast(void *arg, const Quern__SessionToDriver__Broadcast *b, struct err *err)
{
	struct channel *c = arg;
	auto_buf struct buf out = BUF_INIT(64);

	int r = session_put_broadcast(&out, b);
	if (r < 0)
		return err_set(err, r, "out of memory");
	r = send_all(c, &out);
	return r < 0 ? r : taken(c, b->id, err);
}

static int destroy(void *arg, uint32_t id)
{
	struct channel *c = arg;
	auto_buf struct buf b = BUF_INIT(64);

	int r = session_put_destroy(&b, id);
	return r < 0 ? r : send_all(c, &b);
}

/* ---- The process ---- */

static int hello(struct channel *c, const struct code *code)
{
	auto_buf struct buf b = BUF_INIT(4096);
	const uint8_t *id;
	size_t len = code_build_id(code, &id);

	int r = session_put_hello(&b, id, len);
	return r < 0 ? r : send_all(c, &b);
}

static int call_main(struct channel *c, const struct code *code, int argc, char **argv)
{
	int (*job_main)(quern_job *, int, char **) = code_main(code);
	const struct job_runner runner = { .run = run_action,
		.unpersist = unpersist,
		.broadcast = broadcast,
		.destroy = destroy,
		.arg = c };
	quern_job job;

	if (job_main == NULL) {
		(void)fprintf(stderr, "quern: the job has no quern_main()\n");
		return 1;
	}
	job_init(&job, code, &runner);
	c->job = &job;
	int r = job_main(&job, argc, argv);
	job_deinit(&job);
	return r >= 0 && r <= 255 ? r : 1;
}

int session_serve(int fd, const char *so_path, int argc, char **argv)
{
	auto_close int owned = fd;
	struct code *code = NULL;
	struct err err = { "" };
	auto_free struct channel *c = calloc(1, sizeof(*c));
	int status = 1;

	int r = c != NULL ? code_load(so_path, NULL, 0, &code, &err)
			  : err_set(&err, -ENOMEM, "out of memory");
	if (r < 0) {
		(void)fprintf(stderr, "quern: %s\n", err.text);
		return 1;
	}
	c->fd = owned;
	session_reader_job(&c->reader);
	if (hello(c, code) == 0)
		status = call_main(c, code, argc, argv);
	session_reader_deinit(&c->reader);
	(void)code_free(code);
	return status;
}
