#include "mesos/resources.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "mesos/resources_piece.h"

struct resources {
	VEC(struct piece) pieces; /* none is empty, no two have the same identity */
};

AUTO_FREE(resources, struct resources, resources_free)
#define auto_resources AUTO_CLEANUP(auto_resources_cleanup_)

int resources_new(struct resources **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret == NULL ? -ENOMEM : 0;
}

struct resources *resources_free(struct resources *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < r->pieces.n; i++)
		piece_deinit(&r->pieces.at[i]);
	vec_deinit(&r->pieces);
	free(r);
	return NULL;
}

static struct piece *find(const struct resources *r, const struct identity *id)
{
	for (size_t i = 0; i < r->pieces.n; i++)
		if (identity_same(r->pieces.at[i].id, id))
			return &r->pieces.at[i];
	return NULL;
}

static int add_piece(struct resources *r, const struct piece *p)
{
	struct piece copy;

	if (piece_empty(p))
		return 0;
	struct piece *there = find(r, p->id);
	if (there != NULL)
		return piece_add(there, p);
	int k = piece_copy(p, &copy);
	if (k == 0 && (k = vec_push(&r->pieces, copy)) < 0)
		piece_deinit(&copy);
	return k;
}

static void drop_empty(struct resources *r)
{
	for (size_t i = r->pieces.n; i > 0; i--) {
		if (piece_empty(&r->pieces.at[i - 1])) {
			piece_deinit(&r->pieces.at[i - 1]);
			vec_remove(&r->pieces, i - 1);
		}
	}
}

int resources_add(struct resources *into, const struct resources *what)
{
	int k = 0;

	for (size_t i = 0; k == 0 && i < what->pieces.n; i++)
		k = add_piece(into, &what->pieces.at[i]);
	return k;
}

int resources_dup(const struct resources *r, struct resources **ret)
{
	auto_resources struct resources *copy = NULL;

	int k = resources_new(&copy);
	if (k == 0)
		k = resources_add(copy, r);
	if (k == 0) {
		*ret = copy;
		copy = NULL;
	}
	return k;
}

bool resources_contains(const struct resources *r, const struct resources *what)
{
	for (size_t i = 0; i < what->pieces.n; i++) {
		const struct piece *there = find(r, what->pieces.at[i].id);
		if (there == NULL || !piece_contains(there, &what->pieces.at[i]))
			return false;
	}
	return true;
}

int resources_subtract(struct resources *from, const struct resources *what)
{
	int k = 0;

	if (!resources_contains(from, what))
		return -ERANGE;
	for (size_t i = 0; k == 0 && i < what->pieces.n; i++)
		k = piece_subtract(find(from, what->pieces.at[i].id), &what->pieces.at[i]);
	drop_empty(from);
	return k;
}

bool resources_empty(const struct resources *r)
{
	return r->pieces.n == 0;
}

int64_t resources_milli(const struct resources *r, const char *name)
{
	int64_t sum = 0;

	for (size_t i = 0; i < r->pieces.n; i++)
		if (strcmp(r->pieces.at[i].id->meta->name, name) == 0)
			sum += r->pieces.at[i].milli;
	return sum;
}

static bool is_reserved(const Mesos__V1__Resource *r)
{
	return r->n_reservations > 0 || r->reservation != NULL ||
	       (r->role != NULL && strcmp(r->role, "*") != 0);
}

int resources_take(struct resources *from, const char *name, int64_t milli, struct resources *into)
{
	int k = 0;

	if (resources_milli(from, name) < milli)
		return -ERANGE;
	for (int reserved = 1; reserved >= 0; reserved--) {
		for (size_t i = 0; k == 0 && milli > 0 && i < from->pieces.n; i++) {
			struct piece *p = &from->pieces.at[i];
			if (strcmp(p->id->meta->name, name) != 0 ||
				is_reserved(p->id->meta) != (reserved == 1))
				continue;
			int64_t part = p->milli < milli ? p->milli : milli;
			const struct piece taken = { .id = p->id, .milli = part };
			k = add_piece(into, &taken);
			if (k < 0)
				break;
			p->milli -= part;
			milli -= part;
		}
	}
	drop_empty(from);
	return k;
}

int resources_allocate(struct resources *r, const char *role)
{
	auto_resources struct resources *next = NULL;

	int k = resources_new(&next);
	for (size_t i = 0; k == 0 && i < r->pieces.n; i++) {
		struct piece *p = &r->pieces.at[i];
		Mesos__V1__Resource like = *p->id->meta;
		Mesos__V1__Resource__AllocationInfo info = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;
		struct identity *id;

		info.role = (char *)role;
		like.allocation_info = role != NULL ? &info : NULL;
		k = identity_new(&like, &id);
		if (k < 0)
			break;
		struct piece changed = *p;
		changed.id = id;
		k = add_piece(next, &changed);
		identity_unref(id);
	}
	if (k == 0) {
		struct resources old = *r;
		*r = *next;
		*next = old; /* freed on return */
	}
	return k;
}

/* ---- Messages ---- */

int resources_from_pb(Mesos__V1__Resource *const *pieces, size_t n, struct resources **ret, struct err *err)
{
	auto_resources struct resources *r = NULL;

	if (resources_new(&r) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct piece p;

		int k = piece_from_pb(pieces[i], &p, err);
		if (k == 0 && add_piece(r, &p) < 0)
			k = err_set(err, -ENOMEM, "out of memory");
		piece_deinit(&p);
		if (k < 0)
			return k;
	}
	*ret = r;
	r = NULL;
	return 0;
}

void resources_pb_free(Mesos__V1__Resource **pieces, size_t n)
{
	for (size_t i = 0; pieces != NULL && i < n; i++)
		if (pieces[i] != NULL)
			mesos__v1__resource__free_unpacked(pieces[i], NULL);
	free(pieces);
}

int resources_to_pb(const struct resources *r, Mesos__V1__Resource ***ret, size_t *ret_n)
{
	Mesos__V1__Resource **list = calloc(r->pieces.n + 1, sizeof(Mesos__V1__Resource *));

	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < r->pieces.n; i++) {
		list[i] = piece_to_pb(&r->pieces.at[i]);
		if (list[i] == NULL) {
			resources_pb_free(list, i);
			return -ENOMEM;
		}
	}
	*ret = list;
	*ret_n = r->pieces.n;
	return 0;
}

/* ---- Text ---- */

static int parse_ranges(const char *text, Mesos__V1__Resource *r, struct piece *p, struct err *err)
{
	Mesos__V1__Value__Range *list = calloc(strlen(text) + 1, sizeof(*list));
	Mesos__V1__Value__Range **pointers = calloc(strlen(text) + 1, sizeof(*pointers));
	Mesos__V1__Value__Ranges ranges = MESOS__V1__VALUE__RANGES__INIT;
	const char *at = text + 1;
	int k = list == NULL || pointers == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;

	while (k == 0) {
		uint64_t begin, end;
		int used = 0;

		if (sscanf(at, " %" SCNu64 "-%" SCNu64 " %n", &begin, &end, &used) != 2 || used == 0 ||
			(at[used] != ',' && strcmp(at + used, "]") != 0)) {
			k = err_set(err, -EINVAL, "'%s' is not of the form [BEGIN-END,...]", text);
			break;
		}
		mesos__v1__value__range__init(&list[ranges.n_range]);
		list[ranges.n_range].begin = begin;
		list[ranges.n_range].end = end;
		pointers[ranges.n_range] = &list[ranges.n_range];
		ranges.n_range++;
		at += used + 1;
		if (at[-1] == ']')
			break;
	}
	ranges.range = pointers;
	r->type = MESOS__V1__VALUE__TYPE__RANGES;
	r->ranges = &ranges;
	if (k == 0)
		k = piece_from_pb(r, p, err);
	free(list);
	free(pointers);
	return k;
}

/* One "name:value" or "name(role):value". */
static int parse_one(char *text, struct piece *p, struct err *err)
{
	Mesos__V1__Resource r = MESOS__V1__RESOURCE__INIT;
	Mesos__V1__Resource__ReservationInfo reservation = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
	Mesos__V1__Resource__ReservationInfo *list[] = { &reservation };
	Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
	char *colon = strchr(text, ':'), *end;

	if (colon == NULL || colon == text)
		return err_set(err, -EINVAL, "'%s' is not of the form NAME:VALUE", text);
	*colon = '\0';
	char *open = strchr(text, '('), *value = colon + 1;
	if (open != NULL && colon[-1] == ')') {
		colon[-1] = '\0';
		*open = '\0';
		if (strcmp(open + 1, "*") != 0) {
			reservation.has_type = true;
			reservation.type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
			reservation.role = open + 1;
			r.n_reservations = 1;
			r.reservations = list;
		}
	}
	r.name = text;
	if (*value == '[')
		return parse_ranges(value, &r, p, err);
	scalar.value = strtod(value, &end);
	if (end == value || *end != '\0')
		return err_set(err, -EINVAL, "'%s' is not the value of a resource", value);
	r.type = MESOS__V1__VALUE__TYPE__SCALAR;
	r.scalar = &scalar;
	return piece_from_pb(&r, p, err);
}

int resources_parse(const char *text, struct resources **ret, struct err *err)
{
	auto_resources struct resources *r = NULL;
	auto_free char *copy = strdup(text);
	char *save = NULL;

	if (copy == NULL || resources_new(&r) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *one = strtok_r(copy, ";", &save); one != NULL; one = strtok_r(NULL, ";", &save)) {
		struct piece p = { 0 };

		while (isspace((unsigned char)*one))
			one++;
		int k = parse_one(one, &p, err);
		if (k == 0 && add_piece(r, &p) < 0)
			k = err_set(err, -ENOMEM, "out of memory");
		piece_deinit(&p);
		if (k < 0)
			return k;
	}
	*ret = r;
	r = NULL;
	return 0;
}

static int print_piece(const struct piece *p, struct buf *out)
{
	const Mesos__V1__Resource *m = p->id->meta;
	const char *role = m->n_reservations > 0 ? m->reservations[m->n_reservations - 1]->role : m->role;
	int k = buf_add_str(out, m->name);

	if (k == 0 && is_reserved(m))
		k = buf_add_fmt(out, "(%s)", role != NULL ? role : "?");
	if (k == 0 && m->revocable != NULL)
		k = buf_add_str(out, "{REV}");
	if (k == 0)
		k = buf_add_str(out, ":");
	if (k == 0 && m->type == MESOS__V1__VALUE__TYPE__SCALAR)
		k = buf_add_fmt(out, "%.12g", (double)p->milli / 1000);
	for (size_t i = 0; k == 0 && i < p->ranges.n; i++)
		k = buf_add_fmt(out, "%s%" PRIu64 "-%" PRIu64 "%s", i == 0 ? "[" : ",", p->ranges.at[i].begin,
			p->ranges.at[i].end, i + 1 == p->ranges.n ? "]" : "");
	for (size_t i = 0; k == 0 && i < p->items.n; i++)
		k = buf_add_fmt(
			out, "%s%s%s", i == 0 ? "{" : ",", p->items.at[i], i + 1 == p->items.n ? "}" : "");
	return k;
}

int resources_print(const struct resources *r, struct buf *out)
{
	int k = 0;

	for (size_t i = 0; k == 0 && i < r->pieces.n; i++) {
		if (i > 0)
			k = buf_add_str(out, ";");
		if (k == 0)
			k = print_piece(&r->pieces.at[i], out);
	}
	return k;
}
