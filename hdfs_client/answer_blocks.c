/* answer_blocks.c: where the blocks of a file are, in the two forms that WebHDFS has for it; and where
 * DataNodes are. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
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

/* The port at the end of ADDRESS:PORT, which is cut to the address; an IPv6 one has brackets, or has not. -1:
 * there is none. */
static int split_address(char **address)
{
	char *colon = strrchr(*address, ':');
	unsigned port = 0;

	if (colon == NULL || colon[1] == '\0' || strlen(colon) > 6)
		return -1;
	for (const char *p = colon + 1; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		port = port * 10 + (unsigned)(*p - '0');
	}
	*colon = '\0';
	if ((*address)[0] == '[' && colon > *address + 2 && colon[-1] == ']') {
		colon[-1] = '\0';
		(*address)++;
	}
	return port <= UINT16_MAX ? (int)port : -1;
}

/* `address`: ADDRESS:PORT, or ADDRESS where `port` is not negative. */
static int add_replica(
	struct hdfs_block *b, const char *host, const char *address, json_int_t port, struct err *err)
{
	char own[300], *at = own;

	if (!hdfs_host_ok(host))
		return bad(err, "hosts");
	if (snprintf(own, sizeof(own), "%s", address) >= (int)sizeof(own))
		return bad(err, "names");
	if (port < 0)
		port = split_address(&at);
	if (port < 0 || port > UINT16_MAX || !hdfs_host_ok(at))
		return bad(err, "names");
	const struct hdfs_replica r = { .host = strdup(host), .address = strdup(at), .port = (uint16_t)port };
	b->replicas[b->n++] = r; /* there is room; freed with the block in any case */
	return r.host == NULL || r.address == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* BlockLocation: "hosts" are names; "names" are ADDRESS:PORT in the same order. */
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

		if (host == NULL || name == NULL)
			return bad(err, "names");
		r = add_replica(b, host, name, -1, err);
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
		const json_t *port = json_object_get(node, "xferPort");

		if (host == NULL || address == NULL || !json_is_integer(port) || json_integer_value(port) < 0)
			return bad(err, "locations");
		r = add_replica(b, host, address, json_integer_value(port), err);
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

/* LiveNodes: {"NAME:PORT": {"xferaddr": "ADDRESS:PORT", ...}, ...} */
static int find_nodes(json_t *nodes,
	int (*found)(void *arg, const char *host, const char *address, uint16_t port), void *arg,
	struct err *err)
{
	const char *key;
	json_t *node;

	json_object_foreach(nodes, key, node)
	{
		const char *address = json_string_value(json_object_get(node, "xferaddr"));
		struct hdfs_replica of = { 0 };
		struct hdfs_block one = { .replicas = &of };
		char host[300], *at = host;

		(void)snprintf(host, sizeof(host), "%s", key);
		if (address == NULL || split_address(&at) < 0)
			return bad(err, "LiveNodes");
		int r = add_replica(&one, at, address, -1, err);
		if (r == 0)
			r = found(arg, of.host, of.address, of.port);
		free(of.host);
		free(of.address);
		if (r < 0)
			return r;
	}
	return 0;
}

int hdfs_answer_nodes(struct hdfs_json j,
	int (*found)(void *arg, const char *host, const char *address, uint16_t port), void *arg,
	struct err *err)
{
	json_t *root = json_loadb(j.data != NULL ? j.data : "", j.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *bean = json_array_get(json_object_get(root, "beans"), 0);
	const char *text = json_string_value(json_object_get(bean, "LiveNodes")); /* JSON within JSON */
	json_t *nodes = json_loads(text != NULL ? text : "{}", JSON_REJECT_DUPLICATES, NULL);

	int r = root == NULL || !json_is_object(nodes) ? bad(err, "LiveNodes")
						       : find_nodes(nodes, found, arg, err);
	json_decref(nodes);
	json_decref(root);
	return r;
}
