#include "executor/shuffle_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/proof.h"
#include "executor/task.h"

enum {
	FETCH_CHUNK = 256 << 10, /* bytes read from a socket at a time */
	FETCH_CONNECT_MS = 10000,
	FETCH_STALL_S = 30 /* without a byte */
};

bool fetch_whole(const struct fetch *f)
{
	return f->segment.last && f->in.len == 0 && f->segment.bytes == f->stored.length;
}

int fetch_local(struct fetch *f)
{
	const struct shuffle_name *name = &f->request.name;
	struct shuffle_index index;
	struct shuffle_segment segment;
	auto_close int fd = -1;

	int r = shuffle_file_open(f->host->directory, name, &fd, &index);
	if (r == 0)
		r = shuffle_file_find(fd, &index, name, f->request.partition, &segment);
	if (r < 0)
		return r;
	f->stored = (struct stored){ fd, segment.offset, segment.length, f->segment.seed, segment.largest };
	f->records = segment.records;
	f->local = true;
	fd = -1;
	return 0;
}

/* Room in the scratch file for all of it, as the first answer says how long it is. The bytes of an attempt
 * are always the same: so is their number. */
static int place(struct fetch *f)
{
	curl_off_t length = -1;

	if (curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) != CURLE_OK || length < 0)
		return -EBADMSG;
	if (f->placed)
		return (uint64_t)length == f->stored.length ? 0 : -EBADMSG;
	if (f->scratch->end > (uint64_t)INT64_MAX - (uint64_t)length)
		return -EFBIG;
	f->stored = (struct stored){ f->scratch->fd, f->scratch->end, (uint64_t)length,
		f->segment.seed /* of its first block */, 0 };
	f->scratch->end += (uint64_t)length;
	f->placed = true;
	return 0;
}

/* Puts what is whole in its place. What is right in front of what is wrong stays: it is not asked for again.
 */
static int store_blocks(struct fetch *f)
{
	uint64_t to = f->stored.offset + f->segment.bytes;
	size_t at = 0, used = 0;
	struct block b;
	int r = 0;

	while (!f->segment.last &&
		(r = segment_check(&f->segment, f->in.data + at, f->in.len - at, &used, &b)) > 0) {
		at += used;
		f->records += b.records;
		if (b.raw > f->stored.largest)
			f->stored.largest = b.raw;
	}
	/* No block is waited for that would not end within the segment. */
	if (f->segment.bytes > f->stored.length ||
		(r == 0 && !f->segment.last && used > f->stored.length - f->segment.bytes) ||
		(f->segment.last && f->in.len > at))
		r = -EBADMSG;
	int e = at > 0 && f->segment.bytes <= f->stored.length
			? scratch_write_at(f->scratch, to, f->in.data, at)
			: 0;
	buf_consume(&f->in, at);
	return e < 0 ? e : r < 0 ? r : 0;
}

/* libcurl's: some bytes of the body. */
static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t all = size * n, skip = f->skip < all ? (size_t)f->skip : all;
	long status = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return all;
	f->result = place(f);
	f->skip -= skip;
	if (f->result == 0)
		f->result = buf_add(&f->in, data + skip, all - skip);
	if (f->result == 0)
		f->result = store_blocks(f);
	return f->result < 0 ? CURL_WRITEFUNC_ERROR : all;
}

/* "http://HOST:PORT/shuffle/..." */
static int fetch_url(const struct fetch *f, char **ret)
{
	const char *host = f->host->address;
	bool v6 = strchr(host, ':') != NULL;
	char target[64];

	if (host[0] == '\0' || host[strspn(host, "0123456789abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:_-")] != '\0')
		return -EINVAL;
	shuffle_request_print(&f->request, target);
	if (asprintf(ret, "http://%s%s%s:%u%s", v6 ? "[" : "", host, v6 ? "]" : "", f->host->port, target) <
		0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static bool set_options(struct fetch *f, const char *url)
{
	CURL *e = f->easy;

	return curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && /* whatever the environment says */
	       curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEDATA, f) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_PRIVATE, f) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)FETCH_CHUNK) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)FETCH_STALL_S) == CURLE_OK;
}

int fetch_start(struct fetch *f, CURLM *multi, const uint8_t *secret, struct scratch *scratch)
{
	char proof[PROOF_SIZE];
	char header[sizeof("Authorization: ") + sizeof(proof)];
	auto_free char *url = NULL;

	int r = fetch_url(f, &url);
	if (r < 0)
		return r;
	f->scratch = scratch;
	proof_make(secret, f->host->executor_id, proof);
	(void)snprintf(header, sizeof(header), "Authorization: %s", proof);
	buf_clear(&f->in);
	f->skip = f->segment.bytes;
	f->result = 0;
	f->error[0] = '\0';
	f->easy = curl_easy_init();
	f->headers = curl_slist_append(NULL, header);
	if (f->easy == NULL || f->headers == NULL || !set_options(f, url) ||
		curl_multi_add_handle(multi, f->easy) != CURLM_OK) {
		fetch_stop(f, NULL);
		return -ENOMEM;
	}
	return 0;
}

void fetch_stop(struct fetch *f, CURLM *multi)
{
	if (f->easy != NULL && multi != NULL)
		(void)curl_multi_remove_handle(multi, f->easy);
	if (f->easy != NULL)
		curl_easy_cleanup(f->easy);
	f->easy = NULL;
	curl_slist_free_all(f->headers);
	f->headers = NULL;
	buf_clear(&f->in);
}

void fetch_release(struct fetch *f)
{
	buf_deinit(&f->in);
	if (f->local)
		(void)close(f->stored.fd);
	f->local = false;
}
