#include "mesos/resources_piece.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MILLI_MAX_UNITS = 1 << 30 }; /* of a scalar: 10^9 cores or megabytes are not meant seriously */

/* ---- Identities ---- */

static Mesos__V1__Resource *copy_message(const Mesos__V1__Resource *r)
{
	size_t len = mesos__v1__resource__get_packed_size(r);
	uint8_t *bytes = malloc(len > 0 ? len : 1);

	if (bytes == NULL)
		return NULL;
	(void)mesos__v1__resource__pack(r, bytes);
	Mesos__V1__Resource *copy = mesos__v1__resource__unpack(NULL, len, bytes);
	free(bytes);
	return copy;
}

int identity_new(const Mesos__V1__Resource *like, struct identity **ret)
{
	Mesos__V1__Resource bare = *like;

	bare.scalar = NULL;
	bare.ranges = NULL;
	bare.set = NULL;
	if (bare.role != NULL &&
		strcmp(bare.role, "*") == 0) /* the default: written or not, it is the same */
		bare.role = NULL;
	size_t len = mesos__v1__resource__get_packed_size(&bare);
	struct identity *id = malloc(sizeof(*id) + len);
	if (id == NULL)
		return -ENOMEM;
	*id = (struct identity){ .references = 1, .key_len = mesos__v1__resource__pack(&bare, id->key) };
	id->meta = mesos__v1__resource__unpack(NULL, len, id->key);
	if (id->meta == NULL) {
		free(id);
		return -ENOMEM;
	}
	*ret = id;
	return 0;
}

struct identity *identity_ref(struct identity *id)
{
	id->references++;
	return id;
}

void identity_unref(struct identity *id)
{
	if (id == NULL || --id->references > 0)
		return;
	mesos__v1__resource__free_unpacked(id->meta, NULL);
	free(id);
}

bool identity_same(const struct identity *a, const struct identity *b)
{
	return a == b || (a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0);
}

/* ---- Pieces ---- */

void piece_deinit(struct piece *p)
{
	for (size_t i = 0; i < p->items.n; i++)
		free(p->items.at[i]);
	vec_deinit(&p->items);
	vec_deinit(&p->ranges);
	identity_unref(p->id);
	*p = (struct piece){ 0 };
}

bool piece_empty(const struct piece *p)
{
	return p->milli == 0 && p->ranges.n == 0 && p->items.n == 0;
}

bool piece_reserved(const struct piece *p)
{
	const Mesos__V1__Resource *r = p->id->meta;

	return r->n_reservations > 0 || r->reservation != NULL ||
	       (r->role != NULL && strcmp(r->role, "*") != 0);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Sorts ranges and melts those that meet. */
static void melt_ranges(struct piece *p)
{
	size_t n = 0;

	if (p->ranges.n == 0)
		return;
	qsort(p->ranges.at, p->ranges.n, sizeof(*p->ranges.at), compare_ranges);
	for (size_t i = 1; i < p->ranges.n; i++) {
		struct range *last = &p->ranges.at[n], *r = &p->ranges.at[i];
		if (last->end != UINT64_MAX && r->begin > last->end + 1)
			p->ranges.at[++n] = *r;
		else if (r->end > last->end)
			last->end = r->end;
	}
	p->ranges.n = n + 1;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts items and drops those that are there twice. */
static void melt_items(struct piece *p)
{
	size_t n = 0;

	if (p->items.n == 0)
		return;
	qsort(p->items.at, p->items.n, sizeof(*p->items.at), compare_items);
	for (size_t i = 1; i < p->items.n; i++) {
		if (strcmp(p->items.at[n], p->items.at[i]) == 0)
			free(p->items.at[i]);
		else
			p->items.at[++n] = p->items.at[i];
	}
	p->items.n = n + 1;
}

static int push_item(struct piece *p, const char *item)
{
	char *copy = strdup(item);

	if (copy != NULL && vec_push(&p->items, copy) == 0)
		return 0;
	free(copy);
	return -ENOMEM;
}

int piece_add(struct piece *into, const struct piece *what)
{
	const size_t ranges = what->ranges.n, items = what->items.n; /* `what` may be `into` */
	int r = 0;

	into->milli += what->milli;
	for (size_t i = 0; r == 0 && i < ranges; i++)
		r = vec_push(&into->ranges, what->ranges.at[i]);
	for (size_t i = 0; r == 0 && i < items; i++)
		r = push_item(into, what->items.at[i]);
	melt_ranges(into);
	melt_items(into);
	return r;
}

int piece_copy(const struct piece *p, struct piece *ret)
{
	*ret = (struct piece){ .id = identity_ref(p->id) };
	int r = piece_add(ret, p);
	if (r < 0)
		piece_deinit(ret);
	return r;
}

/* Is `r` within one of the ranges? The last that begins no later is the only one that can hold it. */
static bool has_range(const struct piece *p, struct range r)
{
	size_t low = 0, high = p->ranges.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->ranges.at[middle].begin <= r.begin)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && r.end <= p->ranges.at[low - 1].end;
}

static bool has_item(const struct piece *p, const char *item)
{
	return p->items.n > 0 &&
	       bsearch(&item, p->items.at, p->items.n, sizeof(*p->items.at), compare_items) != NULL;
}

bool piece_contains(const struct piece *p, const struct piece *what)
{
	bool all = p->milli >= what->milli;

	for (size_t i = 0; all && i < what->ranges.n; i++)
		all = has_range(p, what->ranges.at[i]);
	for (size_t i = 0; all && i < what->items.n; i++)
		all = has_item(p, what->items.at[i]);
	return all;
}

/* Both lists are sorted, and each range of `what` is within one of `from`: one sweep. */
static int subtract_ranges(struct piece *from, const struct piece *what)
{
	struct piece rest = { 0 };
	size_t j = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->ranges.n; i++) {
		struct range left = from->ranges.at[i];
		bool some = true; /* is left of it */

		while (r == 0 && some && j < what->ranges.n && what->ranges.at[j].begin <= left.end) {
			const struct range cut = what->ranges.at[j++];
			if (cut.begin > left.begin)
				r = vec_push(&rest.ranges, ((struct range){ left.begin, cut.begin - 1 }));
			some = cut.end < left.end;
			left.begin = some ? cut.end + 1 : left.begin;
		}
		if (r == 0 && some)
			r = vec_push(&rest.ranges, left);
	}
	if (r < 0) {
		vec_deinit(&rest.ranges);
		return r;
	}
	vec_deinit(&from->ranges);
	from->ranges.at = rest.ranges.at;
	from->ranges.n = rest.ranges.n;
	from->ranges.cap = rest.ranges.cap;
	return 0;
}

static void subtract_items(struct piece *from, const struct piece *what)
{
	size_t n = 0;

	for (size_t i = 0; i < from->items.n; i++) {
		if (what == from || has_item(what, from->items.at[i]))
			free(from->items.at[i]);
		else
			from->items.at[n++] = from->items.at[i];
	}
	from->items.n = n;
}

int piece_subtract(struct piece *from, const struct piece *what)
{
	int r = subtract_ranges(from, what);

	if (r < 0)
		return r;
	from->milli -= what->milli;
	subtract_items(from, what);
	return 0;
}

/* ---- Messages ---- */

static int read_value(const Mesos__V1__Resource *r, struct piece *ret, struct err *err)
{
	int k = 0;

	switch (r->type) {
	case MESOS__V1__VALUE__TYPE__SCALAR:
		if (r->scalar == NULL || !isfinite(r->scalar->value) || r->scalar->value < 0 ||
			r->scalar->value > MILLI_MAX_UNITS)
			return err_set(
				err, -EINVAL, "resource '%s' is not a scalar of zero or more", r->name);
		ret->milli = llround(r->scalar->value * 1000);
		return 0;
	case MESOS__V1__VALUE__TYPE__RANGES:
		if (r->ranges == NULL)
			return err_set(err, -EINVAL, "resource '%s' has no ranges", r->name);
		for (size_t i = 0; k == 0 && i < r->ranges->n_range; i++) {
			const Mesos__V1__Value__Range *v = r->ranges->range[i];
			if (v->begin > v->end)
				return err_set(err, -EINVAL, "resource '%s': a range ends before it begins",
					r->name);
			k = vec_push(&ret->ranges, ((struct range){ v->begin, v->end }));
		}
		melt_ranges(ret);
		break;
	case MESOS__V1__VALUE__TYPE__SET:
		if (r->set == NULL)
			return err_set(err, -EINVAL, "resource '%s' has no set", r->name);
		for (size_t i = 0; k == 0 && i < r->set->n_item; i++)
			k = push_item(ret, r->set->item[i]);
		melt_items(ret);
		break;
	default:
		return err_set(err, -EINVAL, "resource '%s' is neither scalar, ranges nor set", r->name);
	}
	return k < 0 ? err_set(err, k, "out of memory") : 0;
}

int piece_from_pb(const Mesos__V1__Resource *r, struct piece *ret, struct err *err)
{
	*ret = (struct piece){ 0 };
	if (r->name[0] == '\0')
		return err_set(err, -EINVAL, "a resource without a name");
	if (identity_new(r, &ret->id) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return read_value(r, ret, err);
}

Mesos__V1__Resource *piece_to_pb(const struct piece *p)
{
	Mesos__V1__Resource r = *p->id->meta;
	Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
	Mesos__V1__Value__Ranges ranges = MESOS__V1__VALUE__RANGES__INIT;
	Mesos__V1__Value__Set set = MESOS__V1__VALUE__SET__INIT;
	Mesos__V1__Value__Range *list = calloc(p->ranges.n + 1, sizeof(*list));
	Mesos__V1__Value__Range **pointers = calloc(p->ranges.n + 1, sizeof(*pointers));
	Mesos__V1__Resource *copy = NULL;

	if (list != NULL && pointers != NULL) {
		scalar.value = (double)p->milli / 1000;
		ranges.n_range = p->ranges.n;
		ranges.range = pointers;
		for (size_t i = 0; i < p->ranges.n; i++) {
			mesos__v1__value__range__init(&list[i]);
			list[i].begin = p->ranges.at[i].begin;
			list[i].end = p->ranges.at[i].end;
			pointers[i] = &list[i];
		}
		set.n_item = p->items.n;
		set.item = p->items.at;
		if (r.type == MESOS__V1__VALUE__TYPE__SCALAR)
			r.scalar = &scalar;
		else if (r.type == MESOS__V1__VALUE__TYPE__RANGES)
			r.ranges = &ranges;
		else
			r.set = &set;
		copy = copy_message(&r);
	}
	free(list);
	free(pointers);
	return copy;
}
