/* Resources, from text and from messages: what was taken in is printed and read again as the same, and the
 * laws of the arithmetic hold. A byte chooses between the two. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mesos/codec.h"
#include "mesos/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct resources *a, const struct resources *b)
{
	return resources_contains(a, b) && resources_contains(b, a);
}

static struct resources *dup(const struct resources *r)
{
	struct resources *copy = NULL;

	int k = resources_dup(r, &copy);
	assert(k == 0 && same(r, copy));
	return copy;
}

static struct resources *parse(const char *text)
{
	struct resources *r = NULL;
	struct err err = { "" };

	int k = resources_parse(text, &r, &err);
	assert((k == 0) == (r != NULL));
	assert(k == 0 || (k == -EINVAL && err.text[0] != '\0'));
	return r;
}

static void check_text(const uint8_t *data, size_t size)
{
	struct buf printed = BUF_INIT(SIZE_MAX);

	char *text = strndup((const char *)data, size);
	if (text == NULL)
		return;
	struct resources *r = parse(text);
	free(text);
	if (r == NULL)
		return;
	int k = resources_print(r, &printed);
	assert(k == 0 && buf_add(&printed, "", 1) == 0);
	struct resources *again = parse((const char *)printed.data);
	assert(again != NULL && same(r, again));
	(void)resources_free(again);
	(void)resources_free(r);
	buf_deinit(&printed);
}

static void check_messages(const struct resources *r)
{
	Mesos__V1__Resource **list = NULL;
	struct resources *again = NULL;
	size_t n = 0;

	int k = resources_to_pb(r, &list, &n);
	assert(k == 0 && (n == 0) == resources_empty(r));
	k = resources_from_pb(list, n, &again, NULL);
	assert(k == 0 && same(r, again));
	(void)resources_free(again);
	resources_pb_free(list, n);
}

/* Ranges and sets are unions: a + b - b is a only where they do not meet. But what is taken away can be put
 * back. */
static void check_laws(const struct resources *a, const struct resources *b)
{
	struct resources *sum = dup(a), *other = dup(b), *rest;

	int k = resources_add(sum, b);
	assert(k == 0 && resources_contains(sum, a) && resources_contains(sum, b));
	k = resources_add(other, a);
	assert(k == 0 && same(sum, other));
	assert(resources_milli(sum, "cpus") == resources_milli(a, "cpus") + resources_milli(b, "cpus"));
	rest = dup(sum);
	k = resources_subtract(rest, b);
	assert(k == 0);
	assert(resources_milli(rest, "cpus") == resources_milli(a, "cpus"));
	k = resources_add(rest, b);
	assert(k == 0 && same(rest, sum));
	k = resources_subtract(rest, sum);
	assert(k == 0 && resources_empty(rest));
	k = resources_subtract(other, a);
	assert(k == 0);
	if (!resources_contains(other, sum)) {
		struct resources *before = dup(other);
		k = resources_subtract(other, sum);
		assert(k == -ERANGE && same(before, other));
		(void)resources_free(before);
	}
	(void)resources_free(sum);
	(void)resources_free(other);
	(void)resources_free(rest);
}

/* One port goes over, or nothing does. */
static void check_port(const struct resources *r, uint64_t nth)
{
	struct resources *from = dup(r), *into = NULL;
	uint16_t port = 0;

	int k = resources_new(&into);
	assert(k == 0);
	k = resources_take_port(from, nth, into, &port);
	assert((k == 0) == resources_has_port(r) && (k == 0) == (port > 0));
	assert(k == 0 || (k == -ERANGE && resources_empty(into) && same(from, r)));
	assert(!resources_contains(from, into) || resources_empty(into));
	k = resources_add(from, into);
	assert(k == 0 && same(from, r));
	(void)resources_free(from);
	(void)resources_free(into);
}

/* What is revocable and what is not are all that there is. */
static void check_sorts(const struct resources *r)
{
	struct resources *a = dup(r), *b = dup(r);

	resources_keep(a, "cpus", true);
	resources_keep(b, "cpus", false);
	assert(!resources_revocable(b, "cpus"));
	assert(resources_revocable(a, "cpus") == resources_revocable(r, "cpus"));
	assert(resources_milli(a, "cpus") + resources_milli(b, "cpus") == resources_milli(r, "cpus"));
	(void)resources_free(a);
	(void)resources_free(b);
}

static void check_take(const struct resources *r, int64_t milli)
{
	struct resources *from = dup(r), *into = NULL;

	int k = resources_new(&into);
	assert(k == 0);
	int64_t all = resources_milli(from, "cpus");
	k = resources_take(from, "cpus", milli, into);
	assert(k == (milli > all ? -ERANGE : 0));
	assert(resources_milli(into, "cpus") == (k == 0 ? milli : 0));
	k = resources_add(from, into);
	assert(k == 0 && same(from, r));
	check_port(r, (uint64_t)milli);
	check_sorts(r);
	k = resources_allocate(from, "role");
	assert(k == 0 && resources_milli(from, "cpus") == all);
	(void)resources_free(from);
	(void)resources_free(into);
}

/* An offer's resources; the first `split` are one side of the laws, the others the other. */
static void check_offer(size_t split, const uint8_t *data, size_t size)
{
	struct resources *a = NULL, *b = NULL;
	ProtobufCMessage *m = NULL;

	if (mesos_decode(&mesos__v1__offer__descriptor, MESOS_PROTOBUF, data, size, &m, NULL) < 0)
		return;
	const Mesos__V1__Offer *o = (const Mesos__V1__Offer *)m;
	split = split < o->n_resources ? split : o->n_resources;
	if (resources_from_pb(o->resources, split, &a, NULL) == 0 &&
		resources_from_pb(split > 0 ? o->resources + split : o->resources, o->n_resources - split, &b,
			NULL) == 0) {
		check_messages(a);
		check_laws(a, b);
		check_laws(a, a);
		check_take(a, (int64_t)split * 700);
		check_take(a, resources_milli(a, "cpus"));
	}
	(void)resources_free(a);
	(void)resources_free(b);
	protobuf_c_message_free_unpacked(m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] >= 0x20)
		check_text(data, size);
	else
		check_offer(data[0], data + 1, size - 1);
	return 0;
}
