#include "local/master_resources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

typedef Mesos__V1__Resource Resource;
typedef Mesos__V1__Resource__ReservationInfo Reservation;

/* Not the generated default, which packing would leave out: Mesos says "*" in offers. */
static char any_role[] = "*";

static bool names_role(const Resource *r)
{
	return r->role != NULL && strcmp(r->role, "*") != 0;
}

/* The one form. `reservation` and `list` are room for the result. */
static void upgrade(Resource *r, Reservation *reservation, Reservation **list)
{
	if (r->n_reservations == 0 && names_role(r)) {
		*reservation = (Reservation)MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
		if (r->reservation != NULL)
			*reservation = *r->reservation;
		reservation->has_type = true;
		reservation->type = r->reservation != NULL
					    ? MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC
					    : MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
		reservation->role = r->role;
		*list = reservation;
		r->reservations = list;
		r->n_reservations = 1;
	}
	r->role = NULL;
	r->reservation = NULL;
}

int master_resources_read(Resource *const *pieces, size_t n, struct resources **ret, struct err *err)
{
	auto_free Resource *own = calloc(n + 1, sizeof(*own));
	auto_free Resource **at = calloc(n + 1, sizeof(*at));
	auto_free Reservation *reservations = calloc(n + 1, sizeof(*reservations));
	auto_free Reservation **lists = calloc(n + 1, sizeof(*lists));

	if (own == NULL || at == NULL || reservations == NULL || lists == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		own[i] = *pieces[i];
		own[i].allocation_info = NULL;
		upgrade(&own[i], &reservations[i], &lists[i]);
		at[i] = &own[i];
	}
	return resources_from_pb(at, n, ret, err);
}

/* --- writing -------------------------------------------------------------------------------------------- */

static int list_new(size_t n, struct resource_list *ret)
{
	*ret = (struct resource_list){
		.at = calloc(n + 1, sizeof(Resource *)),
		.n = n,
		.own = calloc(n + 1, sizeof(Resource)),
		.reservations = calloc(n + 1, sizeof(Reservation)),
		.allocation = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT,
	};
	if (ret->at == NULL || ret->own == NULL || ret->reservations == NULL) {
		master_resource_list_deinit(ret);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		ret->at[i] = &ret->own[i];
	return 0;
}

/* The older form. Refined reservations (more than one) have none; those are not offered to such frameworks.
 */
static void downgrade(Resource *r, Reservation *room)
{
	if (r->n_reservations == 0) {
		r->role = any_role;
	} else if (r->n_reservations == 1) {
		const Reservation *from = r->reservations[0];
		r->role = from->role;
		if (from->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC) {
			*room = *from;
			room->has_type = false;
			room->role = NULL;
			r->reservation = room;
		}
		r->n_reservations = 0;
		r->reservations = NULL;
	}
}

int master_resources_write(
	const struct resources *r, const char *role, bool refined, struct resource_list *ret)
{
	Resource **from;
	size_t n;

	int k = resources_to_pb(r, &from, &n);
	if (k < 0)
		return k;
	k = list_new(n, ret);
	if (k < 0) {
		resources_pb_free(from, n);
		return k;
	}
	ret->from = from;
	ret->n_from = n;
	ret->allocation.role = (char *)role;
	for (size_t i = 0; i < n; i++) {
		ret->own[i] = *from[i];
		if (role != NULL)
			ret->own[i].allocation_info = &ret->allocation;
		if (!refined)
			downgrade(&ret->own[i], &ret->reservations[i]);
	}
	return 0;
}

int master_resources_inject(Resource *const *pieces, size_t n, const char *role, struct resource_list *ret)
{
	int k = list_new(n, ret);
	if (k < 0)
		return k;
	ret->allocation.role = (char *)role;
	for (size_t i = 0; i < n; i++) {
		ret->own[i] = *pieces[i];
		if (ret->own[i].allocation_info == NULL)
			ret->own[i].allocation_info = &ret->allocation;
	}
	return 0;
}

void master_resource_list_deinit(struct resource_list *list)
{
	resources_pb_free(list->from, list->n_from);
	free(list->reservations);
	free(list->own);
	free(list->at);
	*list = (struct resource_list){ 0 };
}

/* --- words ---------------------------------------------------------------------------------------------- */

static int print_reservations(const Resource *r, struct buf *out)
{
	int k = buf_add_str(out, "(reservations: [");

	for (size_t i = 0; k == 0 && i < r->n_reservations; i++) {
		const Reservation *one = r->reservations[i];
		bool dynamic = one->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;
		k = buf_add_fmt(out, "%s(%s,%s", i > 0 ? "," : "", dynamic ? "DYNAMIC" : "STATIC",
			one->role != NULL ? one->role : "");
		if (k == 0 && one->principal != NULL)
			k = buf_add_fmt(out, ",%s", one->principal);
		if (k == 0)
			k = buf_add_str(out, ")");
	}
	return k == 0 ? buf_add_str(out, "])") : k;
}

static int print_value(const Resource *r, struct buf *out)
{
	int k = 0;

	if (r->scalar != NULL)
		return buf_add_fmt(out, "%.15g", r->scalar->value);
	if (r->ranges != NULL) {
		k = buf_add_str(out, "[");
		for (size_t i = 0; k == 0 && i < r->ranges->n_range; i++)
			k = buf_add_fmt(out, "%s%" PRIu64 "-%" PRIu64, i > 0 ? ", " : "",
				r->ranges->range[i]->begin, r->ranges->range[i]->end);
		return k == 0 ? buf_add_str(out, "]") : k;
	}
	k = buf_add_str(out, "{");
	for (size_t i = 0; k == 0 && r->set != NULL && i < r->set->n_item; i++)
		k = buf_add_fmt(out, "%s%s", i > 0 ? ", " : "", r->set->item[i]);
	return k == 0 ? buf_add_str(out, "}") : k;
}

static int print_piece(const Resource *r, const char *role, struct buf *out)
{
	int k = buf_add_str(out, r->name);

	if (k == 0 && role != NULL)
		k = buf_add_fmt(out, "(allocated: %s)", role);
	if (k == 0 && r->n_reservations > 0)
		k = print_reservations(r, out);
	if (k == 0 && r->revocable != NULL)
		k = buf_add_str(out, "{REV}");
	if (k == 0 && r->shared != NULL)
		k = buf_add_str(out, "<SHARED>");
	if (k == 0)
		k = buf_add_str(out, ":");
	return k == 0 ? print_value(r, out) : k;
}

int master_resources_print(const struct resources *r, const char *role, struct buf *out)
{
	Resource **pieces;
	size_t n;

	int k = resources_to_pb(r, &pieces, &n);
	if (k < 0)
		return k;
	if (n == 0)
		k = buf_add_str(out, "{}");
	for (size_t i = 0; k == 0 && i < n; i++) {
		k = i > 0 ? buf_add_str(out, "; ") : 0;
		if (k == 0)
			k = print_piece(pieces[i], role, out);
	}
	resources_pb_free(pieces, n);
	return k;
}

/* --- who may have what ---------------------------------------------------------------------------------- */

/* Resources::isAllocatableTo(): reserved to the role, or to one above it ("eng" for "eng/web"). */
static bool reserved_for(const char *reserved, const char *role)
{
	size_t len = reserved != NULL ? strlen(reserved) : 0;

	return reserved != NULL && strncmp(reserved, role, len) == 0 &&
	       (role[len] == '\0' || role[len] == '/');
}

static bool suits(const Resource *r, const struct resource_taste *taste)
{
	if (r->n_reservations > 0 && !reserved_for(r->reservations[r->n_reservations - 1]->role, taste->role))
		return false;
	return (r->revocable == NULL || taste->revocable) && (r->shared == NULL || taste->shared) &&
	       (r->n_reservations <= 1 || taste->refined);
}

int master_resources_pick(
	const struct resources *r, const struct resource_taste *taste, struct resources **ret)
{
	Resource **pieces;
	size_t n, kept = 0;

	int k = resources_to_pb(r, &pieces, &n);
	if (k < 0)
		return k;
	auto_free Resource **some = calloc(n + 1, sizeof(*some));
	for (size_t i = 0; some != NULL && i < n; i++)
		if (suits(pieces[i], taste))
			some[kept++] = pieces[i];
	k = some != NULL ? resources_from_pb(some, kept, ret, NULL) : -ENOMEM;
	resources_pb_free(pieces, n);
	return k;
}

int master_resources_plain(const struct resources *r, bool *ret)
{
	Resource **pieces;
	size_t n;

	int k = resources_to_pb(r, &pieces, &n);
	if (k < 0)
		return k;
	*ret = true;
	for (size_t i = 0; i < n; i++)
		if (pieces[i]->n_reservations > 0 || pieces[i]->revocable != NULL ||
			pieces[i]->shared != NULL)
			*ret = false;
	resources_pb_free(pieces, n);
	return 0;
}
