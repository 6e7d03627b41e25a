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

static int add_item(struct piece *p, const char *item)
{
	size_t i = 0;

	while (i < p->items.n && strcmp(p->items.at[i], item) < 0)
		i++;
	if (i < p->items.n && strcmp(p->items.at[i], item) == 0)
		return 0;
	char *copy = strdup(item);
	if (copy == NULL || vec_push(&p->items, copy) < 0) {
		free(copy);
		return -ENOMEM;
	}
	memmove(&p->items.at[i + 1], &p->items.at[i], (p->items.n - 1 - i) * sizeof(char *));
	p->items.at[i] = copy;
	return 0;
}

/* Adds one range, melting it with those that it meets. */
static int add_range(struct piece *p, struct range r)
{
	size_t i = 0, j;

	while (i < p->ranges.n && r.begin > 0 && p->ranges.at[i].end < r.begin - 1)
		i++;
	for (j = i; j < p->ranges.n && (r.end == UINT64_MAX || p->ranges.at[j].begin <= r.end + 1); j++) {
		r.begin = p->ranges.at[j].begin < r.begin ? p->ranges.at[j].begin : r.begin;
		r.end = p->ranges.at[j].end > r.end ? p->ranges.at[j].end : r.end;
	}
	if (j == i) {
		if (vec_push(&p->ranges, r) < 0)
			return -ENOMEM;
		memmove(&p->ranges.at[i + 1], &p->ranges.at[i], (p->ranges.n - 1 - i) * sizeof(r));
	} else {
		memmove(&p->ranges.at[i + 1], &p->ranges.at[j], (p->ranges.n - j) * sizeof(r));
		p->ranges.n -= j - i - 1;
	}
	p->ranges.at[i] = r;
	return 0;
}

int piece_add(struct piece *into, const struct piece *what)
{
	int r = 0;

	into->milli += what->milli;
	for (size_t i = 0; r == 0 && i < what->ranges.n; i++)
		r = add_range(into, what->ranges.at[i]);
	for (size_t i = 0; r == 0 && i < what->items.n; i++)
		r = add_item(into, what->items.at[i]);
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

static bool has_range(const struct piece *p, struct range r)
{
	for (size_t i = 0; i < p->ranges.n; i++)
		if (p->ranges.at[i].begin <= r.begin && r.end <= p->ranges.at[i].end)
			return true;
	return false;
}

static bool has_item(const struct piece *p, const char *item)
{
	for (size_t i = 0; i < p->items.n; i++)
		if (strcmp(p->items.at[i], item) == 0)
			return true;
	return false;
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

static int subtract_range(struct piece *p, struct range r)
{
	size_t i = 0;

	while (p->ranges.at[i].end < r.begin)
		i++;
	struct range old = p->ranges.at[i];
	if (old.begin == r.begin && old.end == r.end) {
		vec_remove(&p->ranges, i);
	} else if (old.begin == r.begin) {
		p->ranges.at[i].begin = r.end + 1;
	} else {
		p->ranges.at[i].end = r.begin - 1;
		if (old.end != r.end)
			return add_range(p, (struct range){ r.end + 1, old.end });
	}
	return 0;
}

int piece_subtract(struct piece *from, const struct piece *what)
{
	int r = 0;

	from->milli -= what->milli;
	for (size_t i = 0; r == 0 && i < what->ranges.n; i++)
		r = subtract_range(from, what->ranges.at[i]);
	for (size_t i = 0; i < what->items.n; i++) {
		for (size_t j = 0; j < from->items.n; j++) {
			if (strcmp(from->items.at[j], what->items.at[i]) == 0) {
				free(from->items.at[j]);
				vec_remove(&from->items, j);
				break;
			}
		}
	}
	return r;
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
			k = add_range(ret, (struct range){ v->begin, v->end });
		}
		break;
	case MESOS__V1__VALUE__TYPE__SET:
		if (r->set == NULL)
			return err_set(err, -EINVAL, "resource '%s' has no set", r->name);
		for (size_t i = 0; k == 0 && i < r->set->n_item; i++)
			k = add_item(ret, r->set->item[i]);
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
