/* cache_read.c: the reading half of cache_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/auto.h"
#include "executor/bytes.h"
#include "executor/cache_place.h"

/* ---- The place ---- */

int cache_place_open(const struct cache_place *place, int flags)
{
	char link[64], is[256], wanted[256];

	int fd = open(place->path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, is, sizeof(is) - 1);
	int len = snprintf(wanted, sizeof(wanted), "/memfd:%s (deleted)", place->name);
	if (n > 0 && n == len && memcmp(is, wanted, (size_t)n) == 0)
		return fd;
	(void)close(fd);
	return -ESTALE;
}

int cache_reader_open(
	struct cache_reader *r, const struct cache_place *place, uint64_t bytes, bool compressed)
{
	auto_close int fd = cache_place_open(place, O_RDONLY);
	struct stat st;
	void *data = NULL;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != bytes)
		return -ESTALE;
	if (bytes > 0)
		data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	cache_reader_bytes(r, data, (size_t)bytes, compressed);
	r->mapped = bytes > 0;
	return 0;
}

void cache_reader_bytes(struct cache_reader *r, const void *data, size_t len, bool compressed)
{
	*r = (struct cache_reader){ .data = data, .len = len, .compressed = compressed };
}

void cache_reader_close(struct cache_reader *r)
{
	if (r->mapped)
		(void)munmap((void *)(uintptr_t)r->data, r->len);
	free(r->raw);
	(void)ZSTD_freeDCtx(r->zstd);
	*r = (struct cache_reader){ 0 };
}

/* ---- Records ---- */

static void fail(struct flow *flow)
{
	flow_fail(flow, -EBADMSG, false, "what was kept of a persisted set is damaged");
}

/* false: what is there is not a row of records. */
static bool give(
	const uint8_t *p, size_t len, struct quern_out *out, const struct flow *flow, uint64_t *records)
{
	const uint8_t *end = p + len;
	quern_slice key, value;

	while (!flow->stop) {
		int r = record_next_optional(&p, end, &key, &value);

		if (r <= 0)
			return r == 0;
		++*records;
		out->emit(out, key, value);
	}
	return true;
}

/* ---- Blocks ---- */

/* A block's records in r->raw; *ret how many bytes, and *at moved behind it. */
static int unpack(struct cache_reader *r, size_t *at, size_t *ret)
{
	const uint8_t *p = r->data + *at;
	size_t left = r->len - *at;

	if (left < CACHE_BLOCK_HEADER)
		return -EBADMSG;
	size_t raw = get_le32(p), stored = get_le32(p + 4);
	if (raw > CACHE_BLOCK_MAX || stored > left - CACHE_BLOCK_HEADER)
		return -EBADMSG;
	if (raw > r->raw_cap) {
		free(r->raw);
		r->raw = malloc(raw);
		r->raw_cap = r->raw != NULL ? raw : 0;
		if (r->raw == NULL)
			return -ENOMEM;
	}
	if (raw == 0 || ZSTD_decompressDCtx(r->zstd, r->raw, raw, p + CACHE_BLOCK_HEADER, stored) != raw)
		return -EBADMSG;
	*at += CACHE_BLOCK_HEADER + stored;
	*ret = raw;
	return 0;
}

static void run_blocks(struct cache_reader *r, struct quern_out *out, struct flow *flow)
{
	size_t at = 0, raw = 0;

	r->zstd = ZSTD_createDCtx();
	if (r->zstd == NULL) {
		flow_fail(flow, -ENOMEM, false, "out of memory");
		return;
	}
	while (at < r->len && !flow->stop) {
		uint64_t records = 0;

		int e = unpack(r, &at, &raw);
		if (e == -ENOMEM)
			flow_fail(flow, e, false, "out of memory");
		else if (e < 0 || !give(r->raw, raw, out, flow, &records))
			fail(flow);
		r->records += records;
	}
}

void cache_reader_run(struct cache_reader *r, struct quern_out *out, struct flow *flow)
{
	if (r->compressed)
		run_blocks(r, out, flow);
	else if (r->len > 0 && !give(r->data, r->len, out, flow, &r->records))
		fail(flow);
}
