#include "mesos/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "mesos/resources_piece.h"

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

int resources_add_piece(struct resources *r, const struct piece *p)
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
		k = resources_add_piece(into, &what->pieces.at[i]);
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

int resources_take(struct resources *from, const char *name, int64_t milli, struct resources *into)
{
	int k = 0;

	if (resources_milli(from, name) < milli)
		return -ERANGE;
	for (int reserved = 1; reserved >= 0; reserved--) {
		for (size_t i = 0; k == 0 && milli > 0 && i < from->pieces.n; i++) {
			struct piece *p = &from->pieces.at[i];
			if (strcmp(p->id->meta->name, name) != 0 || piece_reserved(p) != (reserved == 1))
				continue;
			int64_t part = p->milli < milli ? p->milli : milli;
			const struct piece taken = { .id = p->id, .milli = part };
			k = resources_add_piece(into, &taken);
			if (k < 0)
				break;
			p->milli -= part;
			milli -= part;
		}
	}
	drop_empty(from);
	return k;
}

/* ---- One value of ranges ---- */

enum { PORT_MAX = 65535 };

/* Of a range, what is a port: from *ret_first on, so many. */
static uint64_t ports_in(const struct range *r, uint64_t *ret_first)
{
	uint64_t first = r->begin > 1 ? r->begin : 1, last = r->end < PORT_MAX ? r->end : PORT_MAX;

	*ret_first = first;
	return first <= last ? last - first + 1 : 0;
}

static bool is_ports(const struct piece *p, bool reserved)
{
	return strcmp(p->id->meta->name, "ports") == 0 && piece_reserved(p) == reserved;
}

static uint64_t count_ports(const struct resources *r, bool reserved)
{
	uint64_t n = 0, first;

	for (size_t i = 0; i < r->pieces.n; i++)
		for (size_t j = 0; is_ports(&r->pieces.at[i], reserved) && j < r->pieces.at[i].ranges.n; j++)
			n += ports_in(&r->pieces.at[i].ranges.at[j], &first);
	return n;
}

/* The nth port, which there is, and the piece that has it. */
static struct piece *find_port(const struct resources *r, bool reserved, uint64_t nth, uint16_t *ret)
{
	for (size_t i = 0; i < r->pieces.n; i++) {
		struct piece *p = &r->pieces.at[i];

		for (size_t j = 0; is_ports(p, reserved) && j < p->ranges.n; j++) {
			uint64_t first, n = ports_in(&p->ranges.at[j], &first);

			if (nth < n) {
				*ret = (uint16_t)(first + nth);
				return p;
			}
			nth -= n;
		}
	}
	return NULL;
}

bool resources_has_port(const struct resources *r)
{
	return count_ports(r, true) > 0 || count_ports(r, false) > 0;
}

int resources_take_port(struct resources *from, uint64_t nth, struct resources *into, uint16_t *ret)
{
	bool reserved = count_ports(from, true) > 0;
	uint64_t n = count_ports(from, reserved);

	if (n == 0)
		return -ERANGE;
	struct piece *p = find_port(from, reserved, nth % n, ret);
	struct range range = { *ret, *ret };
	const struct piece taken = { .id = p->id, .ranges = { .at = &range, .n = 1 } };
	int k = resources_add_piece(into, &taken);
	if (k == 0)
		k = piece_subtract(p, &taken);
	drop_empty(from);
	return k;
}

/* ---- Being revocable ---- */

bool resources_revocable(const struct resources *r, const char *name)
{
	for (size_t i = 0; i < r->pieces.n; i++)
		if (r->pieces.at[i].id->meta->revocable != NULL &&
			strcmp(r->pieces.at[i].id->meta->name, name) == 0)
			return true;
	return false;
}

void resources_keep(struct resources *r, const char *name, bool revocable)
{
	for (size_t i = r->pieces.n; i > 0; i--) {
		struct piece *p = &r->pieces.at[i - 1];

		if (strcmp(p->id->meta->name, name) != 0 || (p->id->meta->revocable != NULL) == revocable)
			continue;
		piece_deinit(p);
		vec_remove(&r->pieces, i - 1);
	}
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
		k = resources_add_piece(next, &changed);
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
		if (k == 0 && resources_add_piece(r, &p) < 0)
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
