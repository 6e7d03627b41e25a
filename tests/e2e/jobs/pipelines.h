/* pipelines.h: the functions of pipelines.c: each does its work for any records, and has trouble when it is
 * told to. */
#ifndef PIPELINES_H
#define PIPELINES_H

#include <fcntl.h>
#include <inttypes.h>
#include <quern/quern.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a function is given. */
struct site {
	char folder[256], mark[40], how[16]; /* how: none if empty */
	uint32_t at, calls;
	uint32_t n[3];
	quern_broadcast_t shared;
};

/* ---- Trouble ---- */

static bool in_tasks = true; /* false in quern_main()'s process, which also calls functions */

static pid_t parent_of(pid_t pid, char name[32])
{
	char path[64], text[512], *at;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (n = read(fd, text, sizeof(text) - 1)) <= 0)
		quern_fail("cannot read %s", path);
	(void)close(fd);
	text[n] = '\0';
	if ((at = strrchr(text, ')')) == NULL)
		quern_fail("cannot make sense of %s", path);
	*at = '\0';
	(void)snprintf(name, 32, "%s", strchr(text, '(') + 1);
	return (pid_t)strtol(at + 3, NULL, 10);
}

/* The oldest of the executor's processes: above workers is the zygote, then it. */
static void kill_executor(void)
{
	char own[32], name[32];
	pid_t pid = getpid(), above = parent_of(pid, own);

	for (;;) {
		pid_t next = parent_of(above, name);

		if (strncmp(name, "quern-", 6) != 0 || strchr("wze", name[6]) == NULL)
			break;
		pid = above;
		above = next;
	}
	(void)kill(pid, SIGKILL);
	(void)pause(); /* it takes this process with it */
}

/* Called by each function for each record. */
static void trouble(struct site *s)
{
	char path[384];

	if (!in_tasks || s->how[0] == '\0' || ++s->calls != s->at)
		return;
	(void)snprintf(path, sizeof(path), "%s/marks/%s", s->folder, s->mark);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)close(fd);
	if (strcmp(s->how, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(s->how, "abort") == 0)
		abort();
	if (strcmp(s->how, "exit") == 0)
		_exit(0);
	if (strcmp(s->how, "executor") == 0)
		kill_executor();
	quern_fail("for once");
}

/* ---- Bytes ---- */

static const quern_slice no_key;

/* CRC-32, as zlib has it. */
static uint32_t crc32_of(uint32_t crc, quern_slice s)
{
	crc = ~crc;
	for (size_t i = 0; i < s.len; i++) {
		crc ^= (uint8_t)s.ptr[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xEDB88320u & -(crc & 1));
	}
	return ~crc;
}

static uint32_t hash(quern_slice key, quern_slice value)
{
	return crc32_of(crc32_of(0, key), value);
}

/* A record as it came, with its key if it has one. */
static void give(quern_slice key, quern_slice value, quern_out *out)
{
	if (key.ptr == NULL)
		quern_put(out, value);
	else
		quern_emit(out, key, value);
}

/* A record whose value is pieces one behind the other; `key` as give() has it. */
static void give_all(quern_slice key, const quern_slice *pieces, size_t n, quern_out *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += pieces[i].len;
	char *text = malloc(len + 1);
	if (text == NULL)
		quern_fail("out of memory");
	len = 0;
	for (size_t i = 0; i < n; i++) {
		if (pieces[i].len > 0)
			memcpy(text + len, pieces[i].ptr, pieces[i].len);
		len += pieces[i].len;
	}
	give(key, quern_bytes(text, len), out);
	free(text);
}

static void give3(quern_slice key, quern_slice a, const char *between, quern_slice b, quern_out *out)
{
	give_all(key, (quern_slice[]){ a, quern_str(between), b }, 3, out);
}

static quern_slice decimal(char room[24], uint64_t n)
{
	return quern_bytes(room, (size_t)snprintf(room, 24, "%" PRIu64, n));
}

/* ---- Functions of one record ---- */

static void rekey(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char room[24];

	trouble(arg);
	const uint32_t n = hash(key, value) % ((struct site *)arg)->n[0];
	give3(n == 0 ? quern_str("") : decimal(room, n), key, "=", value, out);
}

static void swap(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	quern_emit(out, value, key);
}

static void unkey(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	if (hash(key, value) % ((struct site *)arg)->n[0] == 0)
		quern_emit(out, key, value);
	else
		quern_put(out, value);
}

static void number_key(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	const uint64_t n = hash(key, value) % ((struct site *)arg)->n[0];
	quern_emit(out, quern_bytes(&n, sizeof(n)), value);
}

static void several(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	for (uint32_t n = hash(key, value) % 3; n > 0; n--)
		give3(key, value, n == 1 ? "a" : "b", quern_str(""), out);
}

static void several_values(quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	for (uint32_t n = hash(quern_str(""), value) % 3; n > 0; n--)
		give3(no_key, value, n == 1 ? "a" : "b", quern_str(""), out);
}

static bool some(quern_slice key, quern_slice value, void *arg)
{
	const struct site *s = arg;

	trouble(arg);
	return hash(key, value) % s->n[0] != 0;
}

static void twice(quern_slice value, quern_out *out, void *arg)
{
	trouble(arg);
	give3(no_key, value, "+", quern_bytes(value.ptr, value.len < 3 ? value.len : 3), out);
}

static void length(quern_slice value, quern_out *out, void *arg)
{
	uint64_t n = value.len;

	trouble(arg);
	quern_put(out, quern_bytes(&n, sizeof(n)));
}

static void with_shared(quern_slice value, quern_out *out, void *arg)
{
	const struct site *s = arg;
	const quern_slice shared = quern_broadcast_value(s->shared);

	trouble(arg);
	const quern_slice letter = { shared.ptr + hash(no_key, value) % shared.len, 1 };
	give3(no_key, value, "", letter, out);
}

static void whole_partition(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition;
	while (quern_next(records, &key, &value)) {
		trouble(arg);
		for (uint32_t n = hash(key, value) % 3; n > 0; n--)
			give(key, value, out);
	}
}

static void numbered(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char room[24];

	trouble(arg);
	give3(decimal(room, index), key, "#", value, out);
}

static void without_number(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)index;
	trouble(arg);
	give(key, value, out);
}

/* ---- Of values that are combined, of keys that are compared and placed ---- */

static bool less(quern_slice a, quern_slice b)
{
	const int r = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return r < 0 || (r == 0 && a.len < b.len);
}

static void greatest(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	trouble(arg);
	quern_put(out, less(a, b) ? b : a);
}

/* Bytes of the longer one are xored with those of the other: sees each record that is lost, or there twice.
 */
static void xored(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	const quern_slice longer = a.len < b.len ? b : a, other = a.len < b.len ? a : b;
	char *text = malloc(longer.len + 1);

	trouble(arg);
	if (text == NULL)
		quern_fail("out of memory");
	for (size_t i = 0; i < longer.len; i++)
		text[i] = (char)(i < other.len ? longer.ptr[i] ^ other.ptr[i] : longer.ptr[i]);
	quern_put(out, quern_bytes(text, longer.len));
	free(text);
}

/* Results of 16 bytes: how many values, and the sum of their hashes. */
static void add(quern_slice result, quern_slice value, quern_out *out, void *arg)
{
	uint64_t n[2];

	trouble(arg);
	memcpy(n, result.ptr, sizeof(n));
	n[0]++;
	n[1] += hash(quern_str(""), value);
	quern_put(out, quern_bytes(n, sizeof(n)));
}

static void merge(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	uint64_t n[2], m[2];

	trouble(arg);
	memcpy(n, a.ptr, sizeof(n));
	memcpy(m, b.ptr, sizeof(m));
	quern_put(out, quern_bytes((uint64_t[]){ n[0] + m[0], n[1] + m[1] }, sizeof(n)));
}

/* Longer keys first, then as bytes. */
static int by_length(quern_slice a, quern_slice b, void *arg)
{
	trouble(arg);
	if (a.len != b.len)
		return a.len > b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.ptr, b.ptr, a.len);
}

static uint32_t place(quern_slice key, uint32_t partitions, void *arg)
{
	trouble(arg);
	return crc32_of(0, key) % partitions;
}

/* ---- Groups and joins ---- */

/* How many values there are, the sum of their hashes, and a greatest one: their order does not matter. */
struct digest {
	uint64_t n, sum;
	char text[64];
};

static quern_slice digest(struct digest *d, quern_values *values, struct site *s)
{
	quern_slice value;

	d->n = d->sum = 0;
	while (quern_next_value(values, &value)) {
		trouble(s);
		d->n++;
		d->sum += hash(quern_str(""), value);
	}
	return quern_bytes(
		d->text, (size_t)snprintf(d->text, sizeof(d->text), "%" PRIu64 "/%" PRIu64, d->n, d->sum));
}

static void grouped(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	struct digest d;

	quern_emit(out, key, digest(&d, values, arg));
}

static void each_of(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	quern_slice value;

	while (quern_next_value(values, &value)) {
		trouble(arg);
		quern_emit(out, key, value);
	}
}

static void cogrouped(quern_slice key, quern_values *left, quern_values *right, quern_out *out, void *arg)
{
	struct digest a, b;

	digest(&b, right, arg);
	give3(key, digest(&a, left, arg), "|", quern_str(b.text), out);
}

static void joined(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	trouble(arg);
	give3(key, left != NULL ? *left : quern_str("-"), "|", right != NULL ? *right : quern_str("-"), out);
}

static void unpacked(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	const quern_slice left = quern_left(value), right = quern_right(value);

	joined(key, left.ptr != NULL ? &left : NULL, right.ptr != NULL ? &right : NULL, out, arg);
}

static void crossed(quern_slice key, quern_slice value, quern_slice right_key, quern_slice right_value,
	quern_out *out, void *arg)
{
	trouble(arg);
	give_all(key, (quern_slice[]){ value, quern_str("*"), right_key, quern_str("="), right_value }, 5,
		out);
}

static void group_key(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	(void)values;
	trouble(arg);
	quern_emit(out, key, quern_str("there"));
}

#endif
