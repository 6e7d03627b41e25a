#include "hdfs_client/answer.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "hdfs_client/request.h"

static void drop_json(json_t **root)
{
	json_decref(*root);
}

#define auto_json __attribute__((cleanup(drop_json)))

static json_t *parse(struct hdfs_json j, struct err *err)
{
	json_error_t e;
	json_t *root = json_loadb(j.data != NULL ? j.data : "", j.len, JSON_REJECT_DUPLICATES, &e);

	if (root == NULL)
		(void)err_set(err, -EBADMSG, "an answer that is no JSON: %.100s", e.text);
	return root;
}

static int bad(struct err *err, const char *field)
{
	return err_set(err, -EBADMSG, "an answer whose \"%s\" is none", field);
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- Fields ---- */

enum presence { WANTED, OPTIONAL };

/* A number that is not negative; one that is not there is left as it is. */
static int get_number(
	const json_t *o, const char *field, enum presence presence, uint64_t *ret, struct err *err)
{
	const json_t *v = json_object_get(o, field);

	if (v == NULL && presence == OPTIONAL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return bad(err, field);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_text(const json_t *o, const char *field, enum presence presence, char **ret, struct err *err)
{
	const json_t *v = json_object_get(o, field);

	if (v == NULL && presence == OPTIONAL)
		return (*ret = strdup("")) == NULL ? no_memory(err) : 0;
	if (!json_is_string(v))
		return bad(err, field);
	*ret = strdup(json_string_value(v));
	return *ret == NULL ? no_memory(err) : 0;
}

/* Mode bits in octal, as text. */
static int get_permission(const json_t *o, uint16_t *ret, struct err *err)
{
	const char *text = json_string_value(json_object_get(o, "permission"));
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '7' || strlen(text) > 5)
		return bad(err, "permission");
	unsigned long bits = strtoul(text, &end, 8);
	if (*end != '\0' || bits > 07777)
		return bad(err, "permission");
	*ret = (uint16_t)bits;
	return 0;
}

static int get_kind(const json_t *o, enum hdfs_kind *ret, struct err *err)
{
	static const char *const names[] = {
		[HDFS_FILE] = "FILE", [HDFS_FOLDER] = "DIRECTORY", [HDFS_SYMLINK] = "SYMLINK"
	};
	const char *text = json_string_value(json_object_get(o, "type"));

	for (unsigned i = 0; text != NULL && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum hdfs_kind)i;
			return 0;
		}
	return bad(err, "type");
}

/* ---- Files ---- */

/* The path of what has this pathSuffix in `folder`; of the thing itself that suffix is empty. */
static int get_path(const json_t *o, const char *folder, char **ret, struct err *err)
{
	const char *name = json_string_value(json_object_get(o, "pathSuffix"));
	size_t n = strlen(folder);

	if (name == NULL || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return bad(err, "pathSuffix");
	while (n > 0 && folder[n - 1] == '/')
		n--;
	char *path = malloc(n + strlen(name) + 2);
	if (path == NULL)
		return no_memory(err);
	memcpy(path, folder, n);
	if (name[0] != '\0' || n == 0)
		path[n++] = '/';
	(void)strcpy(path + n, name);
	*ret = path;
	return 0;
}

static int get_status(const json_t *o, const char *folder, struct hdfs_status *ret, struct err *err)
{
	struct hdfs_status s = { 0 };
	uint64_t replication = 0;

	int r = json_is_object(o) ? get_kind(o, &s.kind, err) : bad(err, "FileStatus");
	if (r == 0)
		r = get_number(o, "length", WANTED, &s.length, err);
	if (r == 0)
		r = get_number(o, "blockSize", OPTIONAL, &s.block_size, err);
	if (r == 0)
		r = get_number(o, "modificationTime", WANTED, &s.modified_ms, err);
	if (r == 0)
		r = get_number(o, "accessTime", OPTIONAL, &s.accessed_ms, err);
	if (r == 0)
		r = get_number(o, "fileId", OPTIONAL, &s.id, err);
	if (r == 0)
		r = get_number(o, "replication", OPTIONAL, &replication, err);
	if (r == 0 && replication > UINT32_MAX)
		r = bad(err, "replication");
	if (r == 0)
		r = get_permission(o, &s.permission, err);
	if (r == 0)
		r = get_text(o, "owner", OPTIONAL, &s.owner, err);
	if (r == 0)
		r = get_text(o, "group", OPTIONAL, &s.group, err);
	if (r == 0)
		r = get_path(o, folder, &s.path, err);
	if (r < 0) {
		hdfs_status_deinit(&s);
		return r;
	}
	s.replication = (uint32_t)replication;
	if (s.kind != HDFS_FILE)
		s.length = 0;
	*ret = s;
	return 0;
}

int hdfs_answer_status(struct hdfs_json j, const char *path, struct hdfs_status *ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	return root == NULL ? -EBADMSG : get_status(json_object_get(root, "FileStatus"), path, ret, err);
}

static int add_statuses(const json_t *statuses, const char *path, struct hdfs_listing *to, struct err *err)
{
	const json_t *list = json_object_get(statuses, "FileStatus");

	if (!json_is_array(list))
		return bad(err, "FileStatuses");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct hdfs_status s;
		int r = get_status(json_array_get(list, i), path, &s, err);

		if (r < 0)
			return r;
		if (hdfs_listing_add(to, &s) < 0) {
			hdfs_status_deinit(&s);
			return no_memory(err);
		}
	}
	return 0;
}

int hdfs_answer_listing(
	struct hdfs_json j, const char *path, struct hdfs_listing *to, uint64_t *ret_more, struct err *err)
{
	auto_json json_t *root = parse(j, err);
	uint64_t more = 0;
	size_t before = to->n;
	int r = 0;

	if (root == NULL)
		return -EBADMSG;
	const json_t *batch = json_object_get(root, "DirectoryListing");
	const json_t *statuses = json_object_get(root, "FileStatuses");
	if (batch != NULL) {
		r = get_number(batch, "remainingEntries", WANTED, &more, err);
		statuses = json_object_get(json_object_get(batch, "partialListing"), "FileStatuses");
	}
	if (r == 0)
		r = add_statuses(statuses, path, to, err);
	if (r == 0 && more > 0 && to->n == before)
		r = bad(err, "remainingEntries"); /* the next batch would begin where this one did */
	if (r == 0)
		*ret_more = more;
	return r;
}

int hdfs_answer_summary(struct hdfs_json j, struct hdfs_summary *ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);
	struct hdfs_summary s = { .quota = -1, .space_quota = -1 };
	int64_t *const quotas[] = { &s.quota, &s.space_quota };
	static const char *const names[] = { "quota", "spaceQuota" };

	if (root == NULL)
		return -EBADMSG;
	const json_t *o = json_object_get(root, "ContentSummary");
	int r = get_number(o, "directoryCount", WANTED, &s.folders, err);
	if (r == 0)
		r = get_number(o, "fileCount", WANTED, &s.files, err);
	if (r == 0)
		r = get_number(o, "length", WANTED, &s.length, err);
	if (r == 0)
		r = get_number(o, "spaceConsumed", WANTED, &s.space_consumed, err);
	for (int i = 0; r == 0 && i < 2; i++) {
		const json_t *v = json_object_get(o, names[i]);

		if (v != NULL && !json_is_integer(v))
			r = bad(err, names[i]);
		else if (v != NULL && json_integer_value(v) >= 0)
			*quotas[i] = json_integer_value(v);
	}
	if (r == 0)
		*ret = s;
	return r;
}

int hdfs_answer_checksum(struct hdfs_json j, struct hdfs_checksum *ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);
	struct hdfs_checksum c = { 0 };
	uint64_t length = UINT64_MAX;

	if (root == NULL)
		return -EBADMSG;
	const json_t *o = json_object_get(root, "FileChecksum");
	int r = get_text(o, "algorithm", WANTED, &c.algorithm, err);
	if (r == 0)
		r = get_text(o, "bytes", WANTED, &c.hex, err);
	if (r == 0 && c.hex[strspn(c.hex, "0123456789abcdef")] != '\0')
		r = bad(err, "bytes");
	if (r == 0)
		r = get_number(o, "length", OPTIONAL, &length, err);
	if (r == 0 && length < strlen(c.hex) / 2)
		c.hex[2 * length] = '\0'; /* what follows is room that Hadoop's buffer had left */
	if (r < 0)
		hdfs_checksum_deinit(&c);
	else
		*ret = c;
	return r;
}

/* ---- Small answers ---- */

int hdfs_answer_boolean(struct hdfs_json j, bool *ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	if (root == NULL)
		return -EBADMSG;
	const json_t *v = json_object_get(root, "boolean");
	if (!json_is_boolean(v))
		return bad(err, "boolean");
	*ret = json_is_true(v);
	return 0;
}

int hdfs_answer_long(struct hdfs_json j, uint64_t *ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	return root == NULL ? -EBADMSG : get_number(root, "long", WANTED, ret, err);
}

int hdfs_answer_home(struct hdfs_json j, char **ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	if (root == NULL)
		return -EBADMSG;
	const char *path = json_string_value(json_object_get(root, "Path"));
	if (path == NULL || !hdfs_path_ok(path))
		return bad(err, "Path");
	*ret = strdup(path);
	return *ret == NULL ? no_memory(err) : 0;
}

int hdfs_answer_location(struct hdfs_json j, char **ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	return root == NULL ? -EBADMSG : get_text(root, "Location", WANTED, ret, err);
}

int hdfs_answer_token(struct hdfs_json j, char **ret, struct err *err)
{
	auto_json json_t *root = parse(j, err);

	if (root == NULL)
		return -EBADMSG;
	const json_t *token = json_object_get(root, "Token");
	if (json_is_null(token)) {
		*ret = NULL;
		return 0;
	}
	const char *text = json_string_value(json_object_get(token, "urlString"));
	if (text == NULL || text[0] == '\0')
		return bad(err, "Token"); /* nothing of it in a sentence */
	*ret = strdup(text);
	return *ret == NULL ? no_memory(err) : 0;
}
