/* sched_broadcast.c: broadcasts: what there is, which executor has it, and from whom the others fetch it.
 *
 * The table of all that there is goes to an executor ahead of the first task that may need it, and again
 * whenever it has changed. An executor then says what it wants, and is told where to fetch it: from an
 * executor that has it, or from the driver, each of whom serves SERVES_MAX at a time; who finds nobody free
 * waits. So with each round several times as many have it, and the driver sends it a few times, however many
 * executors there are. Who could not fetch it says so and is sent elsewhere, after PEER_FAILURES_MAX times to
 * the driver.
 *
 * What an executor says counts: after a new link it says everything again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_parts.h"

enum {
	SERVES_MAX = 2,       /* fetches of one broadcast from one place at a time */
	PEER_FAILURES_MAX = 2 /* then the driver, which cannot have lost it */
};

enum copy_state { COPY_WANTED, COPY_COMING, COPY_HERE };

/* What an executor has of a broadcast. */
struct copy {
	struct executor *executor;
	enum copy_state state;
	struct executor *from;   /* while it comes; NULL: from the driver */
	struct executor *failed; /* where it was last sent in vain; or NULL */
	uint32_t failures, serves;
	struct copy *prev, *next;
};

struct broadcast {
	uint32_t id;
	uint64_t length, checksum;
	uint32_t serves; /* by the driver */
	struct copy *copies;
	UT_hash_handle hh;
};

static struct broadcast *find(const struct sched *s, uint32_t id)
{
	struct broadcast *b;

	HASH_FIND(hh, s->broadcasts, &id, sizeof(id), b);
	return b;
}

static struct copy *copy_of(const struct broadcast *b, const struct executor *e)
{
	struct copy *c;

	DL_FOREACH(b->copies, c)
	{
		if (c->executor == e)
			return c;
	}
	return NULL;
}

/* ---- The table ---- */

int sched_broadcasts_send(struct sched *s, struct executor *e)
{
	size_t n = HASH_COUNT(s->broadcasts), i = 0;
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__Broadcasts table = QUERN__BROADCASTS__INIT;
	Quern__Broadcast *all = calloc(n + 1, sizeof(*all)), **list = calloc(n + 1, sizeof(*list));
	int r = all == NULL || list == NULL ? -ENOMEM : 0;

	for (const struct broadcast *b = s->broadcasts; r == 0 && b != NULL; b = b->hh.next, i++) {
		quern__broadcast__init(&all[i]);
		all[i].id = b->id;
		all[i].length = b->length;
		all[i].checksum = b->checksum;
		list[i] = &all[i];
	}
	table.version = s->broadcasts_version;
	table.n_list = i;
	table.list = list;
	m.broadcasts = &table;
	e->broadcasts_version = s->broadcasts_version;
	if (r == 0)
		r = sched_plan_message(s, SCHED_DO_LINK, e->id, &m.base);
	free(all);
	free(list);
	return r;
}

int sched_broadcasts_prepare(struct sched *s, struct executor *e)
{
	return e->broadcasts_version == s->broadcasts_version ? 0 : sched_broadcasts_send(s, e);
}

/* ---- Who fetches from whom ---- */

/* It does not come any more, or is here: its source is free for another one. */
static void release(struct broadcast *b, struct copy *c)
{
	if (c->state == COPY_COMING && c->from == NULL) {
		b->serves--;
	} else if (c->state == COPY_COMING) {
		struct copy *from = copy_of(b, c->from);

		if (from != NULL && from->serves > 0)
			from->serves--;
	}
	c->from = NULL;
}

/* A place to fetch from. false: there is none now. */
static bool choose(const struct broadcast *b, const struct copy *c, struct copy **ret)
{
	struct copy *h;

	*ret = NULL;
	DL_FOREACH(b->copies, h)
	{
		const struct executor *e = h->executor;

		if (c->failures < PEER_FAILURES_MAX && h->state == COPY_HERE && e->linked && e->hello &&
			e != c->failed && h->serves < SERVES_MAX) {
			*ret = h;
			return true;
		}
	}
	return b->serves < SERVES_MAX;
}

static int order(struct sched *s, const struct broadcast *b, const struct copy *c)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	Quern__ToExecutor__Fetch fetch = QUERN__TO_EXECUTOR__FETCH__INIT, *list[] = { &fetch };

	fetch.broadcast = b->id;
	if (c->from != NULL) {
		fetch.executor_id = c->from->id;
		fetch.address = c->from->address;
		fetch.has_port = 1;
		fetch.port = c->from->port;
	}
	m.n_fetch = 1;
	m.fetch = list;
	return sched_plan_message(s, SCHED_DO_LINK, c->executor->id, &m.base);
}

/* Sends those that wait to whoever is free. */
static int assign(struct sched *s, struct broadcast *b)
{
	struct copy *c, *from;
	int r = 0;

	DL_FOREACH(b->copies, c)
	{
		if (r < 0 || c->state != COPY_WANTED || !c->executor->linked)
			continue;
		if (!choose(b, c, &from)) {
			if (c->failures == 0)
				break; /* nobody has a wider choice */
			continue;
		}
		c->state = COPY_COMING;
		c->from = from != NULL ? from->executor : NULL;
		if (from != NULL)
			from->serves++;
		else
			b->serves++;
		r = order(s, b, c);
	}
	return r;
}

/* ---- What executors say ---- */

static struct copy *copy_get(struct broadcast *b, struct executor *e)
{
	struct copy *c = copy_of(b, e);

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->executor = e;
	c->state = COPY_WANTED;
	DL_APPEND(b->copies, c);
	return c;
}

static int on_here(struct sched *s, struct broadcast *b, struct copy *c)
{
	int r = 0;

	if (c->state == COPY_HERE)
		return 0;
	if (c->state == COPY_COMING)
		r = sched_plan_text(s, SCHED_DO_LOG, 0, 0, "broadcast %u, %llu bytes: %s has it, from %s",
			b->id, (unsigned long long)b->length, c->executor->id,
			c->from != NULL ? c->from->id : "the driver");
	release(b, c);
	c->state = COPY_HERE;
	return r;
}

static int on_wanted(struct sched *s, struct broadcast *b, struct copy *c, const Quern__ToDriver__Copy *said)
{
	int r = 0;

	if (said->failed != NULL) {
		r = sched_plan_text(s, SCHED_DO_LOG, 0, 0, "broadcast %u: %s could not fetch it from %s: %s",
			b->id, c->executor->id, said->failed[0] != '\0' ? said->failed : "the driver",
			said->error != NULL ? said->error : "it did not say why");
		c->failed = sched_executor_find(s, said->failed);
		c->failures += c->failed != NULL;
	}
	release(b, c);
	c->state = COPY_WANTED;
	return r;
}

int sched_broadcasts_copy(struct sched *s, struct executor *e, const Quern__ToDriver__Copy *said)
{
	struct broadcast *b = find(s, said->broadcast);

	if (b == NULL) /* it was destroyed meanwhile: the table says so */
		return 0;
	struct copy *c = copy_get(b, e);
	if (c == NULL)
		return -ENOMEM;
	int r = said->here ? on_here(s, b, c) : on_wanted(s, b, c, said);
	return r < 0 ? r : assign(s, b);
}

int sched_broadcasts_lost(struct sched *s, const struct executor *e)
{
	struct broadcast *b, *next;
	int r = 0;

	HASH_ITER (hh, s->broadcasts, b, next) {
		struct copy *c = copy_of(b, e);

		if (c == NULL)
			continue;
		release(b, c);
		DL_DELETE(b->copies, c);
		free(c);
		if (r == 0)
			r = assign(s, b);
	}
	return r;
}

/* ---- What the job says ---- */

int sched_broadcasts_add(struct sched *s, uint32_t id, uint64_t length, uint64_t checksum)
{
	struct broadcast *b = calloc(1, sizeof(*b)), *added = b;

	if (b == NULL)
		return -ENOMEM;
	b->id = id;
	b->length = length;
	b->checksum = checksum;
	HASH_ADD(hh, s->broadcasts, id, sizeof(b->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(b);
		return -ENOMEM;
	}
	s->broadcasts_version++;
	return 0;
}

static void free_broadcast(struct sched *s, struct broadcast *b)
{
	struct copy *c, *next;

	HASH_DELETE(hh, s->broadcasts, b);
	DL_FOREACH_SAFE(b->copies, c, next)
	{
		free(c);
	}
	free(b);
}

int sched_broadcasts_destroy(struct sched *s, uint32_t id)
{
	struct broadcast *b = find(s, id);
	int r = 0;

	if (b == NULL)
		return 0;
	free_broadcast(s, b);
	s->broadcasts_version++;
	/* Those who have heard of it give its memory back now. */
	for (struct executor *e = s->executors; r == 0 && e != NULL; e = e->hh.next)
		if (e->linked && e->broadcasts_version > 0)
			r = sched_broadcasts_send(s, e);
	return r;
}

void sched_broadcasts_deinit(struct sched *s)
{
	struct broadcast *b, *next;

	HASH_ITER (hh, s->broadcasts, b, next) {
		free_broadcast(s, b);
	}
}
