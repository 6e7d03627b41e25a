#include "executor/shuffle_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "executor/task.h"
#include "job/records.h"

enum {
	FETCH_CHUNK = 256 << 10, /* bytes read from a file or a socket at a time */
	FETCH_CONNECT_MS = 10000,
	FETCH_STALL_S = 30 /* without a byte */
};

/* Gives the records of the block that was taken. */
static int give_block(struct fetch *f, struct quern_out *out, const struct flow *flow)
{
	const uint8_t *p = f->segment.raw.data, *end = p + f->segment.raw.len;
	quern_slice key, value;
	uint32_t n = 0;

	while (p != end && !flow->stop) {
		int r = record_next(&p, end, &key, &value);

		if (r < 0)
			return -EBADMSG;
		out->emit(out, key, value);
		n++;
	}
	f->records += n;
	return n == f->segment.records || flow->stop ? 0 : -EBADMSG;
}

int fetch_drain(struct fetch *f, struct quern_out *out, struct flow *flow)
{
	size_t at = 0, used = 0;
	int r = 0;

	while (!f->segment.last && !flow->stop) {
		r = segment_take(&f->segment, f->in.data + at, f->in.len - at, &used);
		if (r <= 0)
			break;
		at += used;
		r = give_block(f, out, flow);
		if (r < 0)
			break;
	}
	buf_consume(&f->in, at);
	f->need = used;
	return r == 0 && f->segment.last && f->in.len > 0 ? -EBADMSG : r;
}

bool fetch_whole(const struct fetch *f)
{
	return f->segment.last && f->in.len == 0;
}

static int read_file(
	struct fetch *f, int fd, const struct shuffle_segment *s, struct quern_out *out, struct flow *flow)
{
	for (uint64_t at = f->segment.bytes; at < s->length && !flow->stop;) {
		size_t n = s->length - at < FETCH_CHUNK ? (size_t)(s->length - at) : FETCH_CHUNK;

		int r = buf_reserve(&f->in, n);
		if (r < 0)
			return r;
		ssize_t got = pread(fd, f->in.data + f->in.len, n, (off_t)(s->offset + at));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		f->in.len += (size_t)got;
		at += (uint64_t)got;
		r = fetch_drain(f, out, flow);
		if (r < 0)
			return r;
	}
	return flow->stop || (fetch_whole(f) && f->records == s->records) ? 0 : -EBADMSG;
}

int fetch_local(struct fetch *f, struct quern_out *out, struct flow *flow)
{
	const struct shuffle_name *name = &f->request.name;
	struct shuffle_index index;
	struct shuffle_segment segment;
	auto_close int fd = -1;

	int r = shuffle_file_open(f->host->directory, name, &fd, &index);
	if (r == 0)
		r = shuffle_file_find(fd, &index, name, f->request.partition, &segment);
	if (r == 0)
		r = read_file(f, fd, &segment, out, flow);
	buf_clear(&f->in);
	return r;
}

/* libcurl's: some bytes of the body. Only keeps them: the records go to user functions, which may leave by a
 * jump, and never through libcurl's frames. */
static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t all = size * n, skip = f->skip < all ? (size_t)f->skip : all;
	long status = 0;

	if (f->in.len >= f->need && f->in.len - f->need >= FETCH_WINDOW) {
		f->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return all;
	f->skip -= skip;
	f->result = buf_add(&f->in, data + skip, all - skip);
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

int fetch_start(struct fetch *f, CURLM *multi, const uint8_t *secret)
{
	char authorization[72];
	char header[sizeof("Authorization: ") + sizeof(authorization)];
	auto_free char *url = NULL;

	int r = fetch_url(f, &url);
	if (r < 0)
		return r;
	shuffle_authorization(secret, f->host->executor_id, authorization);
	(void)snprintf(header, sizeof(header), "Authorization: %s", authorization);
	buf_clear(&f->in);
	f->need = BLOCK_HEADER;
	f->skip = f->segment.bytes;
	f->paused = false;
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
	segment_reader_deinit(&f->segment);
	buf_deinit(&f->in);
}
