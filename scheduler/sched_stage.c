/* sched_stage.c: stages, the shuffles that they write, and where map outputs are.
 *
 * A shuffle keeps its stage, and that its splits, after the run: outputs that are lost later are made again
 * from the same input. Splits of a later run take their place only while nothing of the shuffle is there, for
 * parts of two divisions of the input do not fit together.
 *
 * The table of outputs that executors get names every map: of one whose output was lost, the place where it
 * was. So a reader never takes a part for the whole; what it cannot fetch it reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

/* ---- Stages ---- */

static void free_splits(struct stage *stage)
{
	for (size_t i = 0; i < stage->n_splits; i++)
		if (stage->splits[i] != NULL)
			quern__split__free_unpacked(stage->splits[i], NULL);
	free(stage->splits);
	stage->splits = NULL;
	stage->n_splits = 0;
}

void sched_stage_free(struct sched *s, struct stage *stage)
{
	struct stage *there;

	if (stage == NULL)
		return;
	HASH_FIND(hh, s->stages, &stage->id, sizeof(stage->id), there);
	if (there == stage)
		HASH_DELETE(hh, s->stages, stage);
	for (uint32_t i = 0; stage->tasks != NULL && i < stage->n_tasks; i++) {
		if (stage->tasks[i].attempt != NULL)
			stage->tasks[i].attempt->task = NULL;
		free(stage->tasks[i].avoid);
	}
	sched_prefer_free(stage);
	free(stage->tasks);
	free(stage->branches);
	free_splits(stage);
	if (stage->message != NULL)
		quern__stage__free_unpacked(stage->message, NULL);
	free(stage);
}

/* Where the data is stays here, as numbers: no executor asks for it. */
static int copy_splits(struct sched *s, struct stage *stage, const Quern__Split *const *splits, size_t n)
{
	stage->splits = calloc(n + 1, sizeof(*stage->splits));
	if (stage->splits == NULL)
		return -ENOMEM;
	stage->n_splits = n;
	for (size_t i = 0; i < n; i++) {
		Quern__Split split = *splits[i];

		split.n_hosts = 0;
		split.hosts = NULL;
		stage->splits[i] = sched_message_dup(&split.base);
		if (stage->splits[i] == NULL)
			return -ENOMEM;
	}
	return sched_hosts_of_splits(s, stage, splits, n);
}

/* Tasks of partitions first ... first + n - 1, all waiting. */
static int make_tasks(struct sched *s, struct stage *stage, uint32_t first, uint32_t n)
{
	stage->tasks = calloc((size_t)n + 1, sizeof(*stage->tasks));
	if (stage->tasks == NULL)
		return -ENOMEM;
	stage->first = first;
	stage->n_tasks = n;
	for (uint32_t i = 0; i < n; i++) {
		stage->tasks[i].stage = stage;
		stage->tasks[i].partition = first + i;
		sched_task_queue(s, &stage->tasks[i]);
	}
	return 0;
}

/* The partitions of the last stage that the run asks for. */
static void wanted_partitions(const Quern__Run *run, uint32_t all, uint32_t *ret_first, uint32_t *ret_n)
{
	uint32_t first = run->has_first_partition ? run->first_partition : 0;

	first = first < all ? first : all;
	*ret_first = first;
	*ret_n = all - first;
	if (run->has_partition_count && run->partition_count < *ret_n)
		*ret_n = run->partition_count;
}

static int make_stage(struct sched *s, const Quern__Stage *message, const Quern__Split *const *splits,
	size_t n_splits, struct stage **ret, struct err *err)
{
	struct stage *stage = calloc(1, sizeof(*stage)), *added = stage;

	if (stage == NULL)
		return -ENOMEM;
	stage->id = message->id;
	stage->message = sched_message_dup(&message->base);
	int r = stage->message == NULL ? -ENOMEM : copy_splits(s, stage, splits, n_splits);
	if (r == 0)
		r = sched_branches_make(s, stage, n_splits, err);
	if (r == 0) {
		HASH_ADD(hh, s->stages, id, sizeof(stage->id), added);
		r = added == NULL || added->hh.tbl == NULL ? -ENOMEM : 0;
	}
	if (r < 0) {
		sched_stage_free(s, stage);
		return r;
	}
	*ret = stage;
	return 0;
}

/* ---- Shuffles ---- */

struct shuffle *sched_shuffle_find(const struct sched *s, uint32_t id)
{
	struct shuffle *shuffle;

	HASH_FIND(hh, s->shuffles, &id, sizeof(id), shuffle);
	return shuffle;
}

bool sched_shuffle_complete(const struct shuffle *shuffle)
{
	return shuffle->stage->n_done == shuffle->stage->n_tasks;
}

static void free_shuffle(struct sched *s, struct shuffle *shuffle)
{
	HASH_DELETE(hh, s->shuffles, shuffle);
	sched_stage_free(s, shuffle->stage);
	free(shuffle->packed);
	free(shuffle);
}

static int new_shuffle(struct sched *s, struct stage *stage)
{
	struct shuffle *shuffle = calloc(1, sizeof(*shuffle)), *added = shuffle;

	if (shuffle == NULL)
		return -ENOMEM;
	shuffle->id = stage->message->sink->shuffle;
	shuffle->partitions = stage->message->sink->partitions;
	HASH_ADD(hh, s->shuffles, id, sizeof(shuffle->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(shuffle);
		return -ENOMEM;
	}
	shuffle->stage = stage;
	shuffle->complete_once = stage->n_tasks == 0;
	stage->sink = shuffle;
	return 0;
}

/* In memory and in files alike, a split is what its message says. */
static bool same_split(const Quern__Split *a, const Quern__Split *b)
{
	if (a->n_extents != b->n_extents || (a->range != NULL) != (b->range != NULL))
		return false;
	for (size_t k = 0; k < a->n_extents; k++)
		if (a->extents[k]->offset != b->extents[k]->offset ||
			a->extents[k]->length != b->extents[k]->length ||
			strcmp(a->extents[k]->path, b->extents[k]->path) != 0)
			return false;
	if (a->range != NULL && (a->range->start != b->range->start || a->range->end != b->range->end))
		return false;
	return a->records.len == b->records.len &&
	       (a->records.len == 0 || memcmp(a->records.data, b->records.data, a->records.len) == 0);
}

static bool same_splits(const struct stage *stage, const Quern__Split *const *splits, size_t n)
{
	if (n != stage->n_splits)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same_split(splits[i], stage->splits[i]))
			return false;
	return true;
}

/* Divides the input of a shuffle's stage anew. Attempts go on counting: their names are their files'. */
static int divide_again(struct sched *s, struct stage *stage, const Quern__Stage *message,
	const Quern__Split *const *splits, size_t n, struct err *err)
{
	uint32_t next = 0, revision = stage->message->revision + 1;

	for (uint32_t i = 0; i < stage->n_tasks; i++) {
		struct task *t = &stage->tasks[i];

		if (t->state == TASK_DONE)
			sched_output_lost(s, t);
		if (t->attempt != NULL)
			t->attempt->task = NULL;
		if (t->next_attempt > next)
			next = t->next_attempt;
		free(t->avoid);
	}
	sched_prefer_free(stage);
	free(stage->tasks);
	free_splits(stage);
	stage->tasks = NULL;
	stage->fresh = stage->retry = stage->choosy = NULL;
	stage->n_pending = stage->n_choosy = stage->n_done = stage->n_tasks = 0;
	free(stage->branches);
	stage->branches = NULL;
	quern__stage__free_unpacked(stage->message, NULL);
	stage->message = sched_message_dup(&message->base);
	int r = stage->message == NULL ? -ENOMEM : copy_splits(s, stage, splits, n);
	if (r < 0)
		return r;
	stage->message->has_revision = true;
	stage->message->revision = revision;
	r = sched_branches_make(s, stage, n, err);
	if (r == 0)
		r = make_tasks(s, stage, 0, sched_stage_tasks(stage));
	for (uint32_t i = 0; r == 0 && i < stage->n_tasks; i++)
		stage->tasks[i].next_attempt = next;
	stage->sink->complete_once = stage->n_tasks == 0;
	stage->sink->version++;
	return r;
}

static int reuse(struct sched *s, struct shuffle *shuffle, const Quern__Stage *message,
	const Quern__Split *const *splits, size_t n_splits, struct err *err)
{
	struct stage *stage = shuffle->stage;

	if (stage->id != message->id || shuffle->partitions != message->sink->partitions ||
		!sched_branches_same(stage, message))
		return err_set(
			err, -EINVAL, "shuffle %u is not what it was in an earlier action", shuffle->id);
	if (shuffle->complete_once || same_splits(stage, splits, n_splits))
		return 0;
	return divide_again(s, stage, message, splits, n_splits, err);
}

static int note_used(struct sched *s, uint32_t id, struct err *err)
{
	struct used *u;

	HASH_FIND(hh, s->used, &id, sizeof(id), u);
	if (u != NULL)
		return err_set(err, -EINVAL, "stage %u was there before", id);
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->id = id;
	struct used *added = u;
	HASH_ADD(hh, s->used, id, sizeof(u->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(u);
		return -ENOMEM;
	}
	return 0;
}

static int first_time(struct sched *s, const Quern__Run *run, const Quern__Stage *message,
	const Quern__Split *const *splits, size_t n_splits, struct stage **ret, struct err *err)
{
	bool shuffles = message->sink->kind == QUERN__SINK__KIND__SHUFFLE;
	struct stage *stage = NULL;
	uint32_t first = 0;

	int r = note_used(s, message->id, err);
	if (r == 0)
		r = make_stage(s, message, splits, n_splits, &stage, err);
	if (r < 0)
		return r;
	uint32_t n = sched_stage_tasks(stage);
	if (!shuffles)
		wanted_partitions(run, n, &first, &n);
	r = make_tasks(s, stage, first, n);
	if (r == 0 && shuffles)
		r = new_shuffle(s, stage);
	if (r < 0)
		sched_stage_free(s, stage);
	else
		*ret = stage;
	return r;
}

int sched_stage_get(struct sched *s, const Quern__Run *run, size_t i, const Quern__Split *const *splits,
	size_t n_splits, struct stage **ret, struct err *err)
{
	const Quern__Stage *message = run->stages[i];
	bool shuffles = message->sink->kind == QUERN__SINK__KIND__SHUFFLE;

	if (shuffles != (i + 1 < run->n_stages))
		return err_set(
			err, -EINVAL, "stage %u: all stages but the last write a shuffle", message->id);
	if (n_splits > UINT32_MAX)
		return err_set(err, -EINVAL, "stage %u has too many splits", message->id);
	struct shuffle *there = shuffles ? sched_shuffle_find(s, message->sink->shuffle) : NULL;
	if (there == NULL)
		return first_time(s, run, message, splits, n_splits, ret, err);
	int r = reuse(s, there, message, splits, n_splits, err);
	if (r == 0)
		*ret = there->stage;
	return r;
}

/* ---- Outputs ---- */

static void changed(struct sched *s, struct shuffle *shuffle)
{
	shuffle->version++;
	if (s->run != NULL)
		s->run->stale = true;
}

void sched_output_set(struct sched *s, struct task *t, struct executor *host, uint32_t attempt)
{
	t->host = host;
	t->output = attempt;
	DL_APPEND2(host->outputs, t, out_prev, out_next);
	sched_task_done(s, t);
	if (sched_shuffle_complete(t->stage->sink))
		t->stage->sink->complete_once = true;
	changed(s, t->stage->sink);
}

void sched_output_lost(struct sched *s, struct task *t)
{
	DL_DELETE2(t->host->outputs, t, out_prev, out_next);
	t->stage->n_done--;
	sched_task_queue(s, t);
	changed(s, t->stage->sink);
}

/* Numbers the executors that have outputs; fills hosts. */
static uint32_t number_hosts(
	struct sched *s, const struct stage *stage, Quern__OutputHost *hosts, Quern__OutputHost **list)
{
	uint32_t n = 0;

	s->stamp++;
	for (uint32_t i = 0; i < stage->n_tasks; i++) {
		struct executor *e = stage->tasks[i].host;

		if (e->stamp == s->stamp)
			continue;
		e->stamp = s->stamp;
		e->host = n;
		quern__output_host__init(&hosts[n]);
		hosts[n].executor_id = e->id;
		hosts[n].address = e->address;
		hosts[n].port = e->port;
		hosts[n].directory = e->directory;
		hosts[n].machine = e->machine;
		list[n] = &hosts[n];
		n++;
	}
	return n;
}

static int pack(struct shuffle *shuffle, Quern__Outputs *outputs)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.outputs = outputs;
	size_t len = quern__to_executor__get_packed_size(&m);
	uint8_t *packed = malloc(len);
	if (packed == NULL)
		return -ENOMEM;
	(void)quern__to_executor__pack(&m, packed);
	free(shuffle->packed);
	shuffle->packed = packed;
	shuffle->packed_len = len;
	shuffle->packed_version = shuffle->version;
	return 0;
}

int sched_shuffle_pack(struct sched *s, struct shuffle *shuffle)
{
	const struct stage *stage = shuffle->stage;
	Quern__Outputs outputs = QUERN__OUTPUTS__INIT;
	size_t n = stage->n_tasks;

	if (shuffle->packed != NULL && shuffle->packed_version == shuffle->version)
		return 0;
	Quern__MapOutput *maps = calloc(n + 1, sizeof(*maps)), **map_list = calloc(n + 1, sizeof(*map_list));
	Quern__OutputHost *hosts = calloc(n + 1, sizeof(*hosts)),
			  **host_list = calloc(n + 1, sizeof(*host_list));
	int r = maps == NULL || map_list == NULL || hosts == NULL || host_list == NULL ? -ENOMEM : 0;
	if (r == 0) {
		outputs.n_hosts = number_hosts(s, stage, hosts, host_list);
		for (size_t i = 0; i < n; i++) {
			quern__map_output__init(&maps[i]);
			maps[i].map = stage->tasks[i].partition;
			maps[i].attempt = stage->tasks[i].output;
			maps[i].stage = stage->id;
			maps[i].host = stage->tasks[i].host->host;
			map_list[i] = &maps[i];
		}
		outputs.shuffle = shuffle->id;
		outputs.version = shuffle->version;
		outputs.hosts = host_list;
		outputs.n_outputs = n;
		outputs.outputs = map_list;
		r = pack(shuffle, &outputs);
	}
	free(maps);
	free(map_list);
	free(hosts);
	free(host_list);
	return r;
}

void sched_shuffles_deinit(struct sched *s)
{
	struct shuffle *shuffle, *next;
	struct used *u, *next_used;

	HASH_ITER (hh, s->shuffles, shuffle, next) {
		free_shuffle(s, shuffle);
	}
	HASH_ITER (hh, s->used, u, next_used) {
		HASH_DELETE(hh, s->used, u);
		free(u);
	}
}
