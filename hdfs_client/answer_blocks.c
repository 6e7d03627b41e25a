/* answer_blocks.c: where the blocks of a file are, in the two forms that WebHDFS has for it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "hdfs_client/answer.h"
#include "hdfs_client/redirect.h"

static int bad(struct err *err, const char *field)
{
	return err_set(err, -EBADMSG, "an answer whose \"%s\" is none", field);
}

static void free_replicas(struct hdfs_block *b)
{
	struct hdfs_blocks one = { .at = b, .n = 1 };

	for (size_t k = 0; k < one.at->n; k++) {
		free(b->replicas[k].host);
		free(b->replicas[k].address);
	}
	free(b->replicas);
}

static int make_room(struct hdfs_block *b, size_t n, struct err *err)
{
	if (n > HDFS_REPLICAS_MAX)
		return bad(err, "hosts");
	b->replicas = calloc(n > 0 ? n : 1, sizeof(*b->replicas));
	return b->replicas == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* `len`: of the address. */
static int add_replica(
	struct hdfs_block *b, const char *host, const char *address, size_t len, struct err *err)
{
	struct hdfs_replica r = { .host = strdup(host), .address = strndup(address, len) };

	b->replicas[b->n++] = r; /* there is room; freed with the block in any case */
	if (r.host == NULL || r.address == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (!hdfs_host_ok(r.host))
		return bad(err, "hosts");
	return hdfs_host_ok(r.address) ? 0 : bad(err, "names");
}

/* BlockLocation: "hosts" are names; "names" are ADDRESS:PORT in the same order, of IPv6 too, which has
 * brackets or has not. */
static int get_hosts(const json_t *o, struct hdfs_block *b, struct err *err)
{
	const json_t *hosts = json_object_get(o, "hosts"), *names = json_object_get(o, "names");
	size_t n = json_array_size(hosts);

	if (!json_is_array(hosts) || !json_is_array(names) || json_array_size(names) != n)
		return bad(err, "hosts");
	int r = make_room(b, n, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *host = json_string_value(json_array_get(hosts, i));
		const char *name = json_string_value(json_array_get(names, i));
		const char *colon = name != NULL ? strrchr(name, ':') : NULL;

		if (host == NULL || colon == NULL)
			return bad(err, "names");
		size_t len = (size_t)(colon - name);
		if (name[0] == '[' && len > 2 && name[len - 1] == ']') {
			name++;
			len -= 2;
		}
		r = add_replica(b, host, name, len, err);
	}
	return r;
}

/* LocatedBlock: DatanodeInfos. */
static int get_locations(const json_t *o, struct hdfs_block *b, struct err *err)
{
	const json_t *locations = json_object_get(o, "locations");
	size_t n = json_array_size(locations);

	if (!json_is_array(locations))
		return bad(err, "locations");
	int r = make_room(b, n, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const json_t *node = json_array_get(locations, i);
		const char *host = json_string_value(json_object_get(node, "hostName"));
		const char *address = json_string_value(json_object_get(node, "ipAddr"));

		if (host == NULL || address == NULL)
			return bad(err, "locations");
		r = add_replica(b, host, address, strlen(address), err);
	}
	return r;
}

static int get_extent(const json_t *offset, const json_t *length, struct hdfs_block *b, struct err *err)
{
	if (!json_is_integer(offset) || json_integer_value(offset) < 0)
		return bad(err, "offset");
	if (!json_is_integer(length) || json_integer_value(length) < 0)
		return bad(err, "length");
	b->offset = (uint64_t)json_integer_value(offset);
	b->length = (uint64_t)json_integer_value(length);
	return 0;
}

static int get_block(const json_t *o, bool located, struct hdfs_block *b, struct err *err)
{
	const json_t *corrupt = json_object_get(o, located ? "isCorrupt" : "corrupt");
	const json_t *length =
		json_object_get(located ? json_object_get(o, "block") : o, located ? "numBytes" : "length");

	if (corrupt != NULL && !json_is_boolean(corrupt))
		return bad(err, "corrupt");
	b->corrupt = json_is_true(corrupt);
	int r = get_extent(json_object_get(o, located ? "startOffset" : "offset"), length, b, err);
	if (r < 0)
		return r;
	return located ? get_locations(o, b, err) : get_hosts(o, b, err);
}

int hdfs_answer_blocks(struct hdfs_json j, struct hdfs_blocks *to, struct err *err)
{
	json_t *root = json_loadb(j.data != NULL ? j.data : "", j.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *locations = json_object_get(root, "BlockLocations");
	const json_t *located = json_object_get(root, "LocatedBlocks");
	const json_t *list = located != NULL ? json_object_get(located, "locatedBlocks")
					     : json_object_get(locations, "BlockLocation");
	uint64_t end = 0;

	int r = json_is_array(list) ? 0 : bad(err, "BlockLocations");
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		struct hdfs_block b = { 0 };

		r = get_block(json_array_get(list, i), located != NULL, &b, err);
		if (r == 0 && b.offset < end)
			r = bad(err, "offset"); /* blocks do not overlap, and are in order */
		end = b.offset + b.length;
		if (r == 0 && vec_push(to, b) < 0)
			r = err_set(err, -ENOMEM, "out of memory");
		if (r < 0)
			free_replicas(&b);
	}
	json_decref(root);
	return r;
}
