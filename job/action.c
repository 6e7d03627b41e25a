/* action.c: actions: each cuts its set's graph into a Run, has it run, and makes an answer of the results. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "job/act.h"
#include "job/records.h"
#include "job/sample.h"
#include "job/set.h"
#include "job/stages.h"

enum { TAKE_GROWTH = 4 }; /* each round of take() looks at so many times the partitions of the one before */

int act_complain(const char *what)
{
	(void)fprintf(stderr, "quern: %s\n", what);
	return 1;
}

char *act_name(const char *format, ...)
{
	va_list ap;
	char *name;

	va_start(ap, format);
	int n = vasprintf(&name, format, ap);
	va_end(ap);
	return n < 0 ? NULL : name;
}

static int run_stages(
	const struct action *a, struct memory *m, job_result_fn *result, void *arg, struct err *err)
{
	quern_job *job = a->set->job;
	Quern__Run *run;

	int r = a->name != NULL ? stages_cut(a->set, &a->sink, m, &run, err)
				: err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	run->name = a->name;
	run->has_goes_on = run->goes_on = a->goes_on;
	run->accumulators = job->accumulators;
	run->n_accumulators = job->n_accumulators;
	if (a->part) {
		run->has_first_partition = run->has_partition_count = true;
		run->first_partition = a->first;
		run->partition_count = a->count;
	}
	job->running = true;
	r = job->runner.run(job->runner.arg, run, result, arg, err);
	job->running = false;
	return r;
}

/* What runs before an action, for something to be known. */
struct before {
	struct memory *m;
	struct err *err;
};

/* The function of an order, and a copy of its argument: it may change that. */
static int find_compare(const struct before *s, const quern_job *job, struct sample *sample)
{
	const Quern__Function *f = sample->order->compare;

	if (f == NULL)
		return 0;
	if (f->has_arg && (sample->arg = memory_copy(s->m, f->arg.data, f->arg.len)) == NULL)
		return err_set(s->err, -ENOMEM, "out of memory");
	return code_resolve(job->code, f, (code_fn **)&sample->compare, s->err);
}

/* Sees to it that a sort knows its bounds. */
static int sample_sort(void *arg, struct set_shuffle *sort)
{
	struct before *s = arg;
	struct action a = { .set = sort->from, .goes_on = true };
	struct sample sample;

	if (sort->order == NULL || sort->order->tagged || shuffle_seed(sort)->partitions == 1 ||
		sort->bounds != NULL)
		return 0;
	quern__sink__init(&a.sink);
	a.sink.kind = QUERN__SINK__KIND__SAMPLE;
	a.sink.has_uncounted = a.sink.uncounted = true;
	a.sink.has_limit = true;
	a.sink.limit = SAMPLE_KEYS;
	a.sink.order = (Quern__Order *)sort->order;
	a.name = act_name("sort_by_key: sample");
	sample_init(&sample, sort->order);
	int r = find_compare(s, sort->from->job, &sample);
	if (r == 0)
		r = run_stages(&a, s->m, sample_add, &sample, s->err);
	if (r == 0) {
		r = sample_bounds(&sample, &sort->from->job->memory, &sort->bounds);
		if (r < 0)
			(void)err_set(s->err, r, "%s",
				r == -ENOMEM ? "out of memory" : "the driver's sample of keys is none");
	}
	sample_deinit(&sample);
	free(a.name);
	return r;
}

struct starts {
	VEC(uint64_t) at; /* of each partition and, last, of one more */
	int result;       /* 0, or a negative errno */
};

static int add_start(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	struct starts *s = arg;
	uint64_t n;

	(void)partition;
	if (len != sizeof(n)) {
		s->result = -EBADMSG;
		return 1;
	}
	memcpy(&n, data, sizeof(n));
	n = s->at.at[s->at.n - 1] + le64toh(n);
	s->result = vec_push(&s->at, n) < 0 ? -ENOMEM : 0;
	return s->result != 0;
}

/* They are the set's from now on. The input may have changed since the last time, so each action counts. */
static int keep_starts(quern_set *zip, const struct starts *s)
{
	if (zip->step.n_starts != s->at.n)
		zip->step.starts = memory_take(&zip->job->memory, s->at.n * sizeof(uint64_t));
	if (zip->step.starts == NULL)
		return -ENOMEM;
	zip->step.n_starts = s->at.n;
	memcpy(zip->step.starts, s->at.at, s->at.n * sizeof(uint64_t));
	return 0;
}

/* Sees to it that a step that numbers records knows with which to begin. */
static int count_zip(void *arg, quern_set *zip)
{
	struct before *b = arg;
	struct action a = { .set = zip->parent, .goes_on = true };
	struct starts s = { .result = 0 };
	int r = vec_push(&s.at, 0);

	quern__sink__init(&a.sink);
	a.sink.kind = QUERN__SINK__KIND__COUNT;
	a.sink.has_uncounted = a.sink.uncounted = true;
	a.name = act_name("zip_with_index: count");
	if (r == 0)
		r = run_stages(&a, b->m, add_start, &s, b->err);
	if (r == 0)
		r = s.result;
	if (r == 0)
		r = keep_starts(zip, &s);
	if (r < 0 && b->err->text[0] == '\0')
		(void)err_set(b->err, r, "%s",
			r == -ENOMEM ? "out of memory" : "the driver's count of a partition is not a number");
	vec_deinit(&s.at);
	free(a.name);
	return r;
}

/* Runs what has to be known before the stages of `set` can be: what comes first first. */
static int prepare(quern_set *set, struct memory *m, struct err *err)
{
	struct before b = { m, err };
	const struct stages_each each = { .shuffle = sample_sort, .zip = count_zip, .arg = &b };

	return stages_each(set, &each);
}

int act(struct action *a, job_result_fn *result, void *arg)
{
	struct memory m = { NULL };
	struct err err = { "" };
	int r;

	if (a->set->error != NULL)
		r = act_complain(a->set->error);
	else if (a->set->job->running)
		r = act_complain("an action cannot run inside of another one's function");
	else if ((r = a->again ? 0 : prepare(a->set, &m, &err)) == 0)
		r = run_stages(a, &m, result, arg, &err);
	memory_deinit(&m);
	free(a->name);
	a->name = NULL;
	if (r < 0)
		r = err.text[0] != '\0' ? act_complain(err.text) : 1;
	return r;
}

struct action act_of(quern_set *set, Quern__Sink__Kind kind)
{
	struct action a = { .set = set };

	quern__sink__init(&a.sink);
	a.sink.kind = kind;
	return a;
}

/* ---- Files ---- */

static int no_result(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	(void)arg, (void)partition, (void)data, (void)len;
	return 0;
}

/* `what` names the caller. */
static int save(
	quern_set *set, const char *what, Quern__Sink__Kind kind, const char *path, enum quern_codec codec)
{
	struct action a = act_of(set, kind);
	char text[128];

	(void)snprintf(text, sizeof(text), "quern_%s(): the path is %s", what,
		path == NULL ? "NULL: is an argument missing?" : "empty");
	if (path == NULL || *path == '\0')
		return act_complain(text);
	(void)snprintf(text, sizeof(text), "quern_%s(): there is no such codec", what);
	if (codec != QUERN_PLAIN && codec != QUERN_GZIP && codec != QUERN_ZSTD)
		return act_complain(text);
	a.sink.path = (char *)path;
	a.sink.has_codec = codec != QUERN_PLAIN;
	a.sink.codec = (Quern__Codec)codec; /* the same numbers: plan.proto */
	a.name = act_name("%s(%s)", what, path);
	a.goes_on = true;
	return act(&a, no_result, NULL);
}

int quern_save_text(quern_set *set, const char *path)
{
	return save(set, "save_text", QUERN__SINK__KIND__TEXT, path, QUERN_PLAIN);
}

int quern_save_text_compressed(quern_set *set, const char *path, enum quern_codec codec)
{
	return save(set, "save_text", QUERN__SINK__KIND__TEXT, path, codec);
}

int quern_save_raw(quern_set *set, const char *path, enum quern_codec codec)
{
	return save(set, "save_raw", QUERN__SINK__KIND__RAW, path, codec);
}

int quern_save_seq(quern_set *set, const char *path, enum quern_codec codec)
{
	if (codec == QUERN_GZIP)
		return act_complain(
			"quern_save_seq(): files of records are plain or compressed by zstd, not by "
			"gzip: use "
			"QUERN_ZSTD");
	return save(set, "save_seq", QUERN__SINK__KIND__SEQ, path, codec);
}

/* ---- count ---- */

struct count {
	uint64_t sum;
	bool wrong;
};

static int add_count(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	struct count *c = arg;
	uint64_t n;

	(void)partition;
	c->wrong = len != sizeof(n);
	if (c->wrong)
		return 1;
	memcpy(&n, data, sizeof(n));
	c->sum += le64toh(n);
	return 0;
}

int quern_count(quern_set *set, uint64_t *ret)
{
	struct action a = act_of(set, QUERN__SINK__KIND__COUNT);
	struct count c = { 0 };

	a.name = act_name("count");
	int r = act(&a, add_count, &c);
	if (r == 0 && c.wrong)
		r = act_complain("the driver's answer to a count is not a number");
	if (r == 0)
		*ret = c.sum;
	return r;
}

/* ---- collect and take ---- */

struct collect {
	quern_each_fn *each;
	void *arg;
	uint64_t left;       /* records that are still wanted */
	uint32_t partitions; /* that gave a result */
	int result;          /* the first non-zero return of `each` */
	bool wrong;
};

static int give_records(void *arg, uint32_t partition, const uint8_t *data, size_t len)
{
	struct collect *c = arg;
	const uint8_t *p = data, *end = data + len;
	quern_slice key, value;
	int r;

	(void)partition;
	c->partitions++;
	while (c->left > 0 && (r = record_next(&p, end, &key, &value)) != 0) {
		c->wrong = r < 0;
		if (c->wrong)
			return 1;
		c->left--;
		c->result = c->each(key, value, c->arg);
		if (c->result != 0)
			return 1;
	}
	return c->left == 0;
}

static int collect(struct action *a, struct collect *c)
{
	int r = act(a, give_records, c);

	if (r == 0 && c->wrong)
		r = act_complain("what the driver collected is not a sequence of records");
	return r != 0 ? r : c->result;
}

int quern_collect(quern_set *set, quern_each_fn *each, void *arg)
{
	struct action a = act_of(set, QUERN__SINK__KIND__COLLECT);
	struct collect c = { .each = each, .arg = arg, .left = UINT64_MAX };

	a.name = act_name("collect");
	return collect(&a, &c);
}

/* The first partition, then four times as many, and so on, until there is enough or no more (as Spark does,
 * org.apache.spark.rdd.RDD.take). */
int quern_take(quern_set *set, uint64_t n, quern_each_fn *each, void *arg)
{
	struct collect c = { .each = each, .arg = arg, .left = n };
	uint32_t first = 0, count = 1;
	int r = 0;

	if (n == 0 && set->error != NULL)
		return act_complain(set->error);
	while (c.left > 0 && r == 0) {
		struct action a = act_of(set, QUERN__SINK__KIND__COLLECT);

		a.sink.has_limit = true;
		a.sink.limit = c.left;
		a.again = first > 0;
		a.part = true;
		a.first = first;
		a.count = count;
		a.name = act_name("take(%" PRIu64 ")", n);
		c.partitions = 0;
		r = collect(&a, &c);
		if (c.partitions < count || first > UINT32_MAX - count)
			break; /* there are no more */
		first += count;
		count = count > UINT32_MAX / TAKE_GROWTH ? count : count * TAKE_GROWTH;
	}
	return r;
}

int quern_first(quern_set *set, quern_each_fn *each, void *arg)
{
	return quern_take(set, 1, each, arg);
}

static int not_empty(quern_slice key, quern_slice value, void *arg)
{
	bool *empty = arg;

	(void)key, (void)value;
	*empty = false;
	return 0;
}

int quern_is_empty(quern_set *set, bool *ret)
{
	bool empty = true;

	int r = quern_take(set, 1, not_empty, &empty);
	if (r == 0)
		*ret = empty;
	return r;
}

/* ---- foreach ---- */

/* Runs a step that gives nothing, or nothing that is wanted. */
static int run_step(quern_set *set, const char *name)
{
	struct action a = act_of(set, QUERN__SINK__KIND__COUNT);

	a.goes_on = true;
	a.name = act_name("%s", name);
	return act(&a, no_result, NULL);
}

int quern_foreach(quern_set *set, quern_foreach_fn *fn, const quern_slice *arg)
{
	return run_step(set_step(set, "quern_foreach", QUERN__STEP__KIND__FOREACH, true, (code_fn *)fn, arg),
		"foreach");
}

int quern_foreach_partition(quern_set *set, quern_partition_fn *fn, const quern_slice *arg)
{
	return run_step(set_step(set, "quern_foreach_partition", QUERN__STEP__KIND__MAP_PARTITIONS, true,
				(code_fn *)fn, arg),
		"foreach_partition");
}
