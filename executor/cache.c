#include "executor/cache.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

/* No padding: a key. */
struct name {
	uint32_t set, partition;
};

struct cache_entry {
	struct name name;
	uint64_t origin, bytes;
	uint32_t blob;
	unsigned users;
	bool gone;                       /* found no more; it ends with its last user */
	struct cache_set *set;           /* while it can be found */
	struct cache_entry *prev, *next; /* of cache.entries */
	struct cache_entry *set_prev, *set_next;
	UT_hash_handle hh;
};

/* Stays when it is dropped: a task that began before may still want to put something in. */
struct cache_set {
	uint32_t id;
	bool dropped;
	struct cache_entry *entries;
	UT_hash_handle hh;
};

struct cache {
	uint64_t budget, bytes;
	size_t most, count;
	struct cache_entry *by_name;
	struct cache_entry *entries; /* the one that was not used for longest first */
	struct cache_entry *leaving; /* gone, but in use */
	struct cache_set *sets;
};

int cache_new(uint64_t budget, size_t most, struct cache **ret)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->budget = budget;
	c->most = most;
	*ret = c;
	return 0;
}

struct cache *cache_free(struct cache *c)
{
	struct cache_entry *e, *next;
	struct cache_set *s, *next_set;

	if (c == NULL)
		return NULL;
	HASH_CLEAR(hh, c->by_name);
	DL_FOREACH_SAFE(c->entries, e, next)
	{
		free(e);
	}
	DL_FOREACH_SAFE(c->leaving, e, next)
	{
		free(e);
	}
	HASH_ITER (hh, c->sets, s, next_set) {
		HASH_DELETE(hh, c->sets, s);
		free(s);
	}
	free(c);
	return NULL;
}

/* ---- Sets ---- */

static struct cache_set *find_set(const struct cache *c, uint32_t id)
{
	struct cache_set *s;

	HASH_FIND(hh, c->sets, &id, sizeof(id), s);
	return s;
}

/* Made if it is not there. NULL: no memory. */
static struct cache_set *get_set(struct cache *c, uint32_t id)
{
	struct cache_set *s = find_set(c, id);

	if (s != NULL)
		return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->id = id;
	struct cache_set *added = s;
	HASH_ADD(hh, c->sets, id, sizeof(s->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

bool cache_wants(const struct cache *c, uint32_t set)
{
	const struct cache_set *s = find_set(c, set);

	return s == NULL || !s->dropped;
}

/* ---- Entries ---- */

static struct cache_entry *find(const struct cache *c, const struct cache_key *key)
{
	const struct name name = { key->set, key->partition };
	struct cache_entry *e;

	HASH_FIND(hh, c->by_name, &name, sizeof(name), e);
	return e;
}

/* The memory of an entry that nobody uses. */
static int say_gone(struct cache *c, struct cache_entry *e, bool evicted, struct cache_gones *gone)
{
	const struct cache_gone g = {
		.set = e->name.set, .partition = e->name.partition, .blob = e->blob, .evicted = evicted
	};

	c->bytes -= e->bytes;
	c->count--;
	free(e);
	return vec_push(gone, g);
}

/* It cannot be found any more. */
static int remove_entry(struct cache *c, struct cache_entry *e, bool evicted, struct cache_gones *gone)
{
	HASH_DELETE(hh, c->by_name, e);
	DL_DELETE(c->entries, e);
	DL_DELETE2(e->set->entries, e, set_prev, set_next);
	e->set = NULL;
	e->gone = true;
	if (e->users == 0)
		return say_gone(c, e, evicted, gone);
	DL_APPEND(c->leaving, e);
	return 0;
}

struct cache_entry *cache_use(
	struct cache *c, const struct cache_key *key, uint32_t *ret_blob, uint64_t *ret_bytes)
{
	struct cache_entry *e = find(c, key);

	if (e == NULL || e->origin != key->origin)
		return NULL;
	DL_DELETE(c->entries, e);
	DL_APPEND(c->entries, e);
	e->users++;
	*ret_blob = e->blob;
	*ret_bytes = e->bytes;
	return e;
}

int cache_release(struct cache *c, struct cache_entry *e, bool useless, struct cache_gones *gone)
{
	e->users--;
	if (!e->gone)
		return useless ? remove_entry(c, e, true, gone) : 0;
	if (e->users > 0)
		return 0;
	DL_DELETE(c->leaving, e);
	return say_gone(c, e, false, gone);
}

/* ---- Room ---- */

static bool fits(const struct cache *c, uint64_t bytes, uint64_t less_bytes, size_t less)
{
	return c->bytes - less_bytes <= c->budget && bytes <= c->budget - (c->bytes - less_bytes) &&
	       c->count - less < c->most;
}

static bool may_go(const struct cache_entry *e, const struct cache_set *for_set)
{
	return e->users == 0 && e->set != for_set;
}

/* Evicts until `bytes` fit. 1; 0: they cannot, and nothing went. */
static int make_room(
	struct cache *c, uint64_t bytes, const struct cache_set *for_set, struct cache_gones *gone)
{
	struct cache_entry *e, *next;
	uint64_t less_bytes = 0;
	size_t less = 0;
	int r = 0;

	for (e = c->entries; e != NULL && !fits(c, bytes, less_bytes, less); e = e->next) {
		if (!may_go(e, for_set))
			continue;
		less_bytes += e->bytes;
		less++;
	}
	if (!fits(c, bytes, less_bytes, less))
		return 0;
	DL_FOREACH_SAFE(c->entries, e, next)
	{
		if (r < 0 || less == 0)
			break;
		if (!may_go(e, for_set))
			continue;
		less--;
		r = remove_entry(c, e, true, gone);
	}
	return r < 0 ? r : 1;
}

/* 0 or -ENOMEM, and then nothing changed. */
static int add(
	struct cache *c, struct cache_set *set, const struct cache_key *key, uint32_t blob, uint64_t bytes)
{
	struct cache_entry *e = calloc(1, sizeof(*e)), *added = e;

	if (e == NULL)
		return -ENOMEM;
	e->name = (struct name){ key->set, key->partition };
	e->origin = key->origin;
	e->blob = blob;
	e->bytes = bytes;
	e->set = set;
	HASH_ADD(hh, c->by_name, name, sizeof(e->name), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(e);
		return -ENOMEM;
	}
	DL_APPEND(c->entries, e);
	DL_APPEND2(set->entries, e, set_prev, set_next);
	c->bytes += bytes;
	c->count++;
	return 0;
}

int cache_put(
	struct cache *c, const struct cache_key *key, uint32_t blob, uint64_t bytes, struct cache_gones *gone)
{
	struct cache_set *set = get_set(c, key->set);
	struct cache_entry *there = find(c, key);
	int r = 0;

	if (set == NULL)
		return -ENOMEM;
	if (set->dropped || (there != NULL && there->origin == key->origin))
		return 0;
	if (there != NULL)
		r = remove_entry(c, there, false, gone);
	if (r == 0)
		r = make_room(c, bytes, set, gone);
	if (r <= 0)
		return r;
	r = add(c, set, key, blob, bytes);
	return r < 0 ? r : 1;
}

int cache_drop(struct cache *c, uint32_t set, struct cache_gones *gone)
{
	struct cache_set *s = get_set(c, set);
	int r = 0;

	if (s == NULL)
		return -ENOMEM;
	s->dropped = true;
	while (r == 0 && s->entries != NULL)
		r = remove_entry(c, s->entries, false, gone);
	return r;
}

uint64_t cache_bytes(const struct cache *c)
{
	return c->bytes;
}

size_t cache_count(const struct cache *c)
{
	return c->count;
}
