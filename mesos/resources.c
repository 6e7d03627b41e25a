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

/* Without the blanks around it. */
static char *trim(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

/* The parts between the first byte and `close`, which must be the last, and between commas; each without
 * blanks. The caller frees *ret. */
static int split(char *text, char close, char ***ret, size_t *ret_n, struct err *err)
{
	size_t len = strlen(text), n = 0;

	if (len < 2 || text[len - 1] != close)
		return err_set(err, -EINVAL, "'%s' does not end with '%c'", text, close);
	char **parts = calloc(len, sizeof(char *));
	if (parts == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	text[len - 1] = '\0';
	for (char *next = text + 1; next != NULL;)
		parts[n++] = trim(strsep(&next, ","));
	*ret = parts;
	*ret_n = n;
	return 0;
}

/* A number at *at, which moves behind it. */
static bool take_number(const char **at, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at)) /* strtoull() would take a sign */
		return false;
	errno = 0;
	*ret = strtoull(*at, &end, 10);
	*at = end;
	return errno == 0;
}

static int parse_ranges(char *text, Mesos__V1__Resource *r, struct piece *p, struct err *err)
{
	auto_free char **parts = NULL;
	Mesos__V1__Value__Ranges ranges = MESOS__V1__VALUE__RANGES__INIT;
	size_t n;

	int k = split(text, ']', &parts, &n, err);
	if (k < 0)
		return k;
	auto_free Mesos__V1__Value__Range *list = calloc(n, sizeof(*list));
	auto_free Mesos__V1__Value__Range **pointers = calloc(n, sizeof(*pointers));
	if (list == NULL || pointers == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *at = parts[i];

		mesos__v1__value__range__init(&list[i]);
		pointers[i] = &list[i];
		if (!take_number(&at, &list[i].begin) || *at++ != '-' || !take_number(&at, &list[i].end) ||
			*at != '\0')
			return err_set(err, -EINVAL, "'%s' is not a range BEGIN-END", parts[i]);
	}
	ranges.range = pointers;
	ranges.n_range = n;
	r->type = MESOS__V1__VALUE__TYPE__RANGES;
	r->ranges = &ranges;
	return piece_from_pb(r, p, err);
}

static int parse_set(char *text, Mesos__V1__Resource *r, struct piece *p, struct err *err)
{
	auto_free char **items = NULL;
	Mesos__V1__Value__Set set = MESOS__V1__VALUE__SET__INIT;

	int k = split(text, '}', &items, &set.n_item, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < set.n_item; i++)
		if (items[i][0] == '\0' || strpbrk(items[i], "{} \t\n") != NULL)
			return err_set(err, -EINVAL, "'%s' is not an item of a set", items[i]);
	set.item = items;
	r->type = MESOS__V1__VALUE__TYPE__SET;
	r->set = &set;
	return piece_from_pb(r, p, err);
}

static int parse_scalar(const char *text, Mesos__V1__Resource *r, struct piece *p, struct err *err)
{
	Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
	char *end;

	scalar.value = strtod(text, &end);
	/* strtod() would take hexadecimal digits, and names of what is not finite */
	if (end == text || *end != '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
		return err_set(err, -EINVAL, "'%s' is not the value of a resource", text);
	r->type = MESOS__V1__VALUE__TYPE__SCALAR;
	r->scalar = &scalar;
	return piece_from_pb(r, p, err);
}

/* "NAME" or "NAME(ROLE)"; cuts `text`. *ret_role: NULL without a role, or with "*". */
static int parse_name(char *text, char **ret_role, struct err *err)
{
	size_t n = strcspn(text, "()[]{} \t\n"), len = strlen(text);

	*ret_role = NULL;
	if (n > 0 && n == len)
		return 0;
	char *role = text + n + 1;
	if (n == 0 || text[n] != '(' || text[len - 1] != ')' || len < n + 3 ||
		strcspn(role, "()[]{} \t\n") != len - n - 2)
		return err_set(err, -EINVAL, "'%s' is not of the form NAME or NAME(ROLE)", text);
	text[n] = '\0';
	text[len - 1] = '\0';
	*ret_role = strcmp(role, "*") != 0 ? role : NULL;
	return 0;
}

/* One "name:value" or "name(role):value". */
static int parse_one(char *text, struct piece *p, struct err *err)
{
	Mesos__V1__Resource r = MESOS__V1__RESOURCE__INIT;
	Mesos__V1__Resource__ReservationInfo reservation = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
	Mesos__V1__Resource__ReservationInfo *list[] = { &reservation };
	char *value = text, *name = strsep(&value, ":");

	if (value == NULL)
		return err_set(err, -EINVAL, "'%s' is not of the form NAME:VALUE", text);
	r.name = name = trim(name);
	value = trim(value);
	int k = parse_name(name, &reservation.role, err);
	if (k < 0)
		return k;
	if (reservation.role != NULL) {
		reservation.has_type = true;
		reservation.type = MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__STATIC;
		r.n_reservations = 1;
		r.reservations = list;
	}
	if (*value == '[')
		return parse_ranges(value, &r, p, err);
	if (*value == '{')
		return parse_set(value, &r, p, err);
	return parse_scalar(value, &r, p, err);
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

		if (one[strspn(one, " \t\n")] == '\0')
			continue; /* nothing, behind the last ';' */
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

/* Thousandths as a number without superfluous digits: 1500 is "1.5". */
static int print_milli(int64_t milli, struct buf *out)
{
	char digits[8];
	size_t n = (size_t)snprintf(digits, sizeof(digits), ".%03d", (int)(milli % 1000));

	while (n > 0 && (digits[n - 1] == '0' || digits[n - 1] == '.'))
		digits[--n] = '\0';
	return buf_add_fmt(out, "%" PRId64 "%s", milli / 1000, digits);
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
		k = print_milli(p->milli, out);
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
