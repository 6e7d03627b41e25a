/* resources_text.c: resources as people write them, and as they are printed. */
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
#include "mesos/roles.h"

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

/* "NAME" or "NAME(ROLE)", and perhaps "{REV}" behind it; cuts `text`. *ret_role: NULL without a role, or with
 * "*". */
static int parse_name(char *text, char **ret_role, bool *ret_revocable, struct err *err)
{
	static const char rev[] = "{REV}";
	size_t n = strcspn(text, "()[]{} \t\n"), len = strlen(text);

	*ret_role = NULL;
	*ret_revocable = len > strlen(rev) && strcmp(text + len - strlen(rev), rev) == 0;
	if (*ret_revocable)
		text[len -= strlen(rev)] = '\0';
	if (n > 0 && n == len)
		return 0;
	char *role = text + n + 1;
	if (n == 0 || text[n] != '(' || text[len - 1] != ')' || len < n + 3 ||
		strcspn(role, "()[]{} \t\n") != len - n - 2)
		return err_set(err, -EINVAL, "'%s' is not of the form NAME or NAME(ROLE)", text);
	text[n] = '\0';
	text[len - 1] = '\0';
	if (roles_check(role, err) < 0)
		return -EINVAL;
	*ret_role = strcmp(role, "*") != 0 ? role : NULL;
	return 0;
}

/* One "name:value", "name(role):value", either with "{REV}" behind the name. */
static int parse_one(char *text, struct piece *p, struct err *err)
{
	Mesos__V1__Resource r = MESOS__V1__RESOURCE__INIT;
	Mesos__V1__Resource__ReservationInfo reservation = MESOS__V1__RESOURCE__RESERVATION_INFO__INIT;
	Mesos__V1__Resource__ReservationInfo *list[] = { &reservation };
	Mesos__V1__Resource__RevocableInfo revocable_info = MESOS__V1__RESOURCE__REVOCABLE_INFO__INIT;
	bool revocable;
	char *value = text, *name = strsep(&value, ":");

	if (value == NULL)
		return err_set(err, -EINVAL, "'%s' is not of the form NAME:VALUE", text);
	r.name = name = trim(name);
	value = trim(value);
	int k = parse_name(name, &reservation.role, &revocable, err);
	if (k < 0)
		return k;
	r.revocable = revocable ? &revocable_info : NULL;
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

	if (k == 0 && piece_reserved(p))
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
