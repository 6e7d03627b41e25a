/* step_partition.c: the step whose function takes the records of the partition by itself (MAP_PARTITIONS).
 *
 * Records are pushed through a task, and this function pulls them: it runs in a thread of its own. Only one
 * of the two ever runs. The source's thread collects a batch of records and hands over; the function's hands
 * back when it has taken them all and asks for more, and when it returns. So nothing behind the step, where
 * the function's thread goes when it emits, has to know of threads; user code is never at two places at a
 * time.
 *
 *     source -> take() -> batch | hand_over() <-> hand_back() | -> quern_next() -> function -> emit() -> next
 *
 * Both threads may be left by quern_fail(), which is known by thread (job/out.h). When the source's is, the
 * function waits in quern_next(), and leaves it by a jump when the step is freed. When the function's is, its
 * thread ends and the source's finds that the flow has failed. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "executor/gate.h"
#include "executor/stateful.h"
#include "executor/steps.h"

enum {
	BATCH = 256 << 10, /* bytes of records that are handed over at a time */
	DIRECT = 32 << 10  /* bytes of a record that is handed over by itself, and not copied */
};

enum turn { SOURCE, FUNCTION };

struct partition_step {
	struct stateful base;
	struct quern_records records; /* what the function pulls from */
	struct quern_out out;         /* where it emits */
	struct gate gate;             /* where that goes: what is bad behind the step may be left out */
	struct out_task task;         /* as the function's thread sees it */
	struct out_record record;     /* the last one that the function has taken */
	struct flow *flow;
	quern_partition_fn *fn;
	void *arg;
	uint32_t partition;

	/* Guarded by the lock. All else belongs to the thread whose turn it is. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum turn turn;

	pthread_t thread;
	bool started; /* it is there, and has to be joined */
	bool over;    /* the function has ended */
	bool ended;   /* no record follows those in the batch */
	bool leave;   /* the function is to end where it is */
	sigjmp_buf left;
	struct buf batch;
	size_t at;   /* where what the function takes next of it begins */
	bool direct; /* a record that is not in the batch, behind those that are */
	quern_slice key, value;
};

static struct partition_step *of_records(quern_records *records)
{
	return (struct partition_step *)(void *)((char *)records - offsetof(struct partition_step, records));
}

static struct partition_step *of_out(struct quern_out *out)
{
	return (struct partition_step *)(void *)((char *)out - offsetof(struct partition_step, out));
}

/* ---- Turns ---- */

static void give_turn(struct partition_step *p, enum turn to)
{
	(void)pthread_mutex_lock(&p->lock);
	p->turn = to;
	(void)pthread_cond_signal(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

static void await_turn(struct partition_step *p, enum turn mine)
{
	(void)pthread_mutex_lock(&p->lock);
	while (p->turn != mine)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
}

/* ---- The function's thread ---- */

/* Ends the function from within, as quern_fail() does, but without a failure. */
static _Noreturn void leave(struct partition_step *p)
{
	siglongjmp(p->left, 1);
}

static void emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct partition_step *p = of_out(out);

	p->gate.in.emit(&p->gate.in, key, value);
	if (p->flow->stop) /* nobody wants more: it could go on for ever */
		leave(p);
}

enum { HEAD = 8, NO_KEY = -1 /* for the length of a key */ };

static bool take_next(struct partition_step *p, quern_slice *key, quern_slice *value)
{
	int32_t lengths[2];

	if (p->at == p->batch.len) {
		*key = p->key;
		*value = p->value;
		bool was = p->direct;
		p->direct = false;
		return was;
	}
	const uint8_t *from = p->batch.data + p->at;
	memcpy(lengths, from, HEAD);
	from += HEAD;
	*key = lengths[0] == NO_KEY ? quern_bytes(NULL, 0) : quern_bytes(from, (size_t)lengths[0]);
	*value = quern_bytes(from + key->len, (size_t)lengths[1]);
	p->at += HEAD + key->len + value->len;
	return true;
}

static bool next_record(quern_records *records, quern_slice *key, quern_slice *value)
{
	struct partition_step *p = of_records(records);

	while (!take_next(p, key, value)) {
		if (p->ended) {
			p->record.number = 0;
			return false;
		}
		give_turn(p, SOURCE);
		await_turn(p, FUNCTION);
		if (p->leave)
			leave(p);
	}
	p->record = (struct out_record){ p->record.number + 1, *key, *value };
	return true;
}

static void call(void *arg)
{
	struct partition_step *p = arg;

	if (sigsetjmp(p->left, 0) == 0)
		p->fn(p->partition, &p->records, &p->out, p->arg);
}

static void *run(void *arg)
{
	struct partition_step *p = arg;
	struct err err;

	int r = out_guard(call, p, &p->task, &err);
	if (r < 0)
		flow_fail(p->flow, r, r == -EBADMSG, "%s", err.text);
	p->over = true;
	give_turn(p, SOURCE);
	return NULL;
}

/* ---- The source's thread ---- */

/* Lets the function run until it wants more records than there are, or has ended. */
static void hand_over(struct partition_step *p)
{
	const struct out_record *before = p->flow->task != NULL ? p->flow->task->record : NULL;

	if (p->flow->task != NULL)
		p->flow->task->record = &p->record; /* for what fails behind the step */
	p->at = 0;
	if (p->started) {
		give_turn(p, FUNCTION);
	} else {
		p->turn = FUNCTION;
		int r = pthread_create(&p->thread, NULL, run, p);
		if (r != 0) {
			flow_fail(
				p->flow, -r, false, "cannot start a thread for a partition: %s", strerror(r));
			return;
		}
		p->started = true;
	}
	await_turn(p, SOURCE);
	if (p->flow->task != NULL)
		p->flow->task->record = before;
	buf_clear(&p->batch);
	p->direct = false;
}

static void take_direct(struct partition_step *p, quern_slice key, quern_slice value)
{
	p->direct = true;
	p->key = key;
	p->value = value;
	hand_over(p);
}

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct partition_step *p = (struct partition_step *)out;
	const int32_t lengths[2] = { key.ptr == NULL ? NO_KEY : (int32_t)key.len, (int32_t)value.len };

	if (p->over || p->flow->stop)
		return;
	if (key.len >= DIRECT || value.len >= DIRECT) {
		take_direct(p, key, value);
		return;
	}
	if (buf_add(&p->batch, lengths, HEAD) < 0 || buf_add(&p->batch, key.ptr, key.len) < 0 ||
		buf_add(&p->batch, value.ptr, value.len) < 0)
		flow_fail(p->flow, -ENOMEM, false, "out of memory for the records of a partition");
	else if (p->batch.len >= BATCH)
		hand_over(p);
}

static void finish(struct stateful *s)
{
	struct partition_step *p = (struct partition_step *)s;

	p->ended = true;
	if (!p->over)
		hand_over(p);
}

static struct stateful *partition_free(struct stateful *s)
{
	struct partition_step *p = (struct partition_step *)s;

	if (p->started && !p->over) {
		p->leave = true;
		give_turn(p, FUNCTION);
	}
	if (p->started)
		(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	buf_deinit(&p->batch);
	free(p->arg);
	free(p);
	return NULL;
}

int step_partition_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	code_fn *fn = NULL;

	if (step->function == NULL)
		return err_set(err, -EINVAL, "a step for partitions without a function");
	struct partition_step *p = calloc(1, sizeof(*p));
	if (p == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (pthread_cond_init(&p->changed, NULL) != 0) {
		(void)pthread_mutex_destroy(&p->lock);
		free(p);
		return err_set(err, -ENOMEM, "out of memory");
	}
	p->base = (struct stateful){ .in = { take }, .finish = finish, .free = partition_free };
	p->records.next = next_record;
	p->out.emit = emit;
	p->flow = env->flow;
	if (env->flow->task != NULL)
		p->task = *env->flow->task;
	p->task.record = &p->record;
	gate_init(&p->gate, next, &p->task);
	p->partition = env->partition;
	p->batch = BUF_INIT(SIZE_MAX / 2);
	int r = steps_resolve(env->code, step->function, &fn, &p->arg, err);
	p->fn = (quern_partition_fn *)fn;
	*ret = r < 0 ? partition_free(&p->base) : &p->base;
	return r;
}
