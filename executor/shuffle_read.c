#include "executor/shuffle_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/vec.h"
#include "executor/shuffle_fetch.h"

enum {
	READ_TRANSFERS = 8,  /* at a time */
	READ_PER_HOST = 2,   /* connections */
	READ_TRIES = 5,      /* over HTTP */
	READ_RETRY_MS = 200, /* before the second, doubled for each one after */
	READ_POLL_MS = 1000,
	READ_SPARE_FILES = 64 /* descriptors that are left to everything else */
};

struct shuffle_reader {
	struct shuffle_read_config config;
	struct flow *flow;
	CURLM *multi;          /* NULL until something has to come from elsewhere */
	struct fetch *fetches; /* one for each output, in the order of the maps */
	struct stored *runs;   /* the same */
	size_t n;
	VEC(struct fetch *) waiting; /* for HTTP */
	struct fetch *active[READ_TRANSFERS];
	size_t n_active;
	uint64_t records, bytes;
	const Quern__MapOutput *lost;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int by_map(const void *a, const void *b)
{
	const struct fetch *x = a, *y = b;

	return (x->output->map > y->output->map) - (x->output->map < y->output->map);
}

/* One fetch for each output. An output that is there twice would be counted twice. */
static int add_fetches(struct shuffle_reader *r, struct err *err)
{
	const Quern__Outputs *o = r->config.outputs;

	for (size_t i = 0; i < o->n_outputs; i++) {
		struct fetch *f = &r->fetches[i];

		f->output = o->outputs[i];
		if (f->output->host >= o->n_hosts)
			return err_set(err, -EINVAL, "shuffle %u: output of map %u is on no known host",
				o->shuffle, f->output->map);
		f->host = o->hosts[f->output->host];
		f->request = (struct shuffle_request){ { o->shuffle, f->output->map, f->output->attempt },
			r->config.partition };
		f->in = BUF_INIT(SIZE_MAX / 2);
		segment_reader_init(&f->segment,
			segment_seed(o->shuffle, f->output->map, f->output->attempt, r->config.partition));
		r->n++;
	}
	qsort(r->fetches, r->n, sizeof(r->fetches[0]), by_map);
	for (size_t i = 1; i < r->n; i++)
		if (r->fetches[i].output->map == r->fetches[i - 1].output->map)
			return err_set(err, -EINVAL, "shuffle %u: two outputs of map %u", o->shuffle,
				r->fetches[i].output->map);
	return 0;
}

int shuffle_reader_new(const struct shuffle_read_config *config, struct shuffle_reader **ret, struct err *err)
{
	auto_shuffle_reader struct shuffle_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r->config = *config;
	if (r->config.retry_ms == 0)
		r->config.retry_ms = READ_RETRY_MS;
	r->flow = config->flow;
	r->fetches = calloc(config->outputs->n_outputs + 1, sizeof(r->fetches[0]));
	r->runs = calloc(config->outputs->n_outputs + 1, sizeof(r->runs[0]));
	if (r->fetches == NULL || r->runs == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int e = add_fetches(r, err);
	if (e < 0)
		return e;
	*ret = r, r = NULL;
	return 0;
}

static void fetch_done(struct shuffle_reader *r, struct fetch *f)
{
	r->records += f->records;
	r->bytes += f->stored.length;
	buf_deinit(&f->in);
}

/* Gives a fetch up. */
static void fetch_lost(struct shuffle_reader *r, struct fetch *f, const char *why)
{
	if (r->flow->result == 0)
		r->lost = f->output;
	flow_fail(r->flow, -ENODATA, false, "map output %u-%u-%u on %s:%u: %s", f->request.name.shuffle,
		f->request.name.map, f->request.name.attempt, f->host->address, f->host->port, why);
}

/* What is not the map's doing is not laid at its door. */
static void not_there(struct shuffle_reader *r, struct fetch *f, int code, const char *why)
{
	if (code == -ENOMEM)
		flow_fail(r->flow, code, false, "shuffle: out of memory");
	else
		fetch_lost(r, f, why);
}

/* How many files may be open at a time. */
static size_t files_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	return limit.rlim_cur > READ_SPARE_FILES ? (size_t)limit.rlim_cur - READ_SPARE_FILES : 0;
}

/* Opens what is on this machine; what cannot be had so waits for HTTP, also for want of descriptors: all of
 * it ends in one file then. */
static void open_local(struct shuffle_reader *r)
{
	size_t left = files_max();

	/* Each partition begins elsewhere, so that not all tasks ask the same host first. */
	for (size_t i = 0; i < r->n && !r->flow->stop; i++) {
		struct fetch *f = &r->fetches[(i + r->config.partition) % r->n];

		if (left > 0 && strcmp(f->host->machine, r->config.machine) == 0 && fetch_local(f) == 0) {
			fetch_done(r, f);
			left--;
		} else if (vec_push(&r->waiting, f) < 0) {
			flow_fail(r->flow, -ENOMEM, false, "out of memory");
		}
	}
}

static void active_remove(struct shuffle_reader *r, const struct fetch *f)
{
	for (size_t i = 0; i < r->n_active; i++)
		if (r->active[i] == f)
			r->active[i] = r->active[--r->n_active];
}

/* A transfer that failed: again, later, or never. */
static void fetch_again(struct shuffle_reader *r, struct fetch *f, bool never, const char *why)
{
	if (f->segment.bytes > f->brought)
		f->tries = 0; /* it goes on, if slowly */
	f->brought = f->segment.bytes;
	if (never || ++f->tries >= READ_TRIES) {
		fetch_lost(r, f, why);
		return;
	}
	f->retry_at = now_ms() + ((uint64_t)r->config.retry_ms << (f->tries - 1));
	if (vec_push(&r->waiting, f) < 0)
		flow_fail(r->flow, -ENOMEM, false, "out of memory");
}

/* Starts those whose time has come, as far as there is room. Returns the ms until the next one's. */
static int start_waiting(struct shuffle_reader *r)
{
	uint64_t now = now_ms(), wait = READ_POLL_MS;

	for (size_t i = 0; i < r->waiting.n && r->n_active < READ_TRANSFERS && !r->flow->stop;) {
		struct fetch *f = r->waiting.at[i];

		if (f->retry_at > now) {
			wait = f->retry_at - now < wait ? f->retry_at - now : wait;
			i++;
			continue;
		}
		int e = fetch_start(f, r->multi, r->config.secret, r->config.scratch);
		if (e < 0) {
			not_there(r, f, e, strerror(-e));
			break;
		}
		r->waiting.at[i] = r->waiting.at[--r->waiting.n]; /* their order is no matter */
		r->active[r->n_active++] = f;
	}
	return (int)wait;
}

/* Why a transfer did not bring everything. */
static void describe(const struct fetch *f, CURLcode code, long status, char *ret, size_t size)
{
	if (f->result == -EBADMSG)
		(void)snprintf(ret, size, "the bytes are damaged");
	else if (code != CURLE_OK)
		(void)snprintf(ret, size, "%s", f->error[0] != '\0' ? f->error : curl_easy_strerror(code));
	else if (status != 200)
		(void)snprintf(ret, size, "the server answers %ld", status);
	else
		(void)snprintf(ret, size, "the transfer ends too early");
}

/* Ends a transfer that libcurl says has ended. */
static void end_transfer(struct shuffle_reader *r, struct fetch *f, CURLcode code)
{
	bool whole = f->result == 0 && code == CURLE_OK && fetch_whole(f);
	char why[CURL_ERROR_SIZE + 64];
	long status = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	describe(f, code, status, why, sizeof(why));
	fetch_stop(f, r->multi);
	active_remove(r, f);
	if (f->result < 0 && f->result != -EBADMSG) /* not the map's doing */
		scratch_failed(r->config.scratch, r->flow, f->result);
	else if (whole)
		fetch_done(r, f);
	else
		fetch_again(r, f, code == CURLE_OK && status >= 400 && status < 500, why);
}

static void end_finished(struct shuffle_reader *r)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(r->multi, &left)) != NULL && !r->flow->stop) {
		struct fetch *f = NULL;

		if (m->msg == CURLMSG_DONE &&
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f) == CURLE_OK)
			end_transfer(r, f, m->data.result);
	}
}

/* Moves what is on its way. Whether a transfer ended, so that another one may start. */
static bool move(struct shuffle_reader *r)
{
	size_t before = r->n_active;
	int running;

	CURLMcode m = curl_multi_perform(r->multi, &running);
	if (m != CURLM_OK) {
		flow_fail(r->flow, -EIO, false, "shuffle: libcurl: %s", curl_multi_strerror(m));
		return false;
	}
	end_finished(r);
	return r->n_active < before;
}

static void bring_http(struct shuffle_reader *r)
{
	while (!r->flow->stop) {
		int wait = start_waiting(r);

		if (r->flow->stop || (r->n_active == 0 && r->waiting.n == 0))
			return;
		if (move(r) || r->flow->stop)
			continue;
		CURLMcode m = curl_multi_poll(r->multi, NULL, 0, wait, NULL);
		if (m != CURLM_OK)
			flow_fail(r->flow, -EIO, false, "shuffle: libcurl: %s", curl_multi_strerror(m));
	}
}

static bool prepare_http(struct shuffle_reader *r)
{
	int e = scratch_open(r->config.scratch);

	if (e < 0) {
		scratch_failed(r->config.scratch, r->flow, e);
		return false;
	}
	r->multi = curl_multi_init();
	if (r->multi == NULL) {
		flow_fail(r->flow, -ENOMEM, false, "out of memory");
		return false;
	}
	(void)curl_multi_setopt(r->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)READ_PER_HOST);
	return true;
}

void shuffle_reader_bring(struct shuffle_reader *r)
{
	open_local(r);
	if (r->waiting.n > 0 && prepare_http(r))
		bring_http(r);
	for (size_t i = 0; i < r->n; i++)
		r->runs[i] = r->fetches[i].stored;
}

const struct stored *shuffle_reader_runs(const struct shuffle_reader *r, size_t *ret_n)
{
	*ret_n = r->n;
	return r->runs;
}

void shuffle_reader_damaged(void *reader, const struct stored *run, int code)
{
	struct shuffle_reader *r = reader;

	for (size_t i = 0; i < r->n; i++) {
		if (r->runs[i].fd != run->fd || r->runs[i].offset != run->offset || !r->fetches[i].local)
			continue;
		not_there(r, &r->fetches[i], code,
			code == -EBADMSG ? "the bytes are damaged" : strerror(-code));
		return;
	}
	scratch_failed(r->config.scratch, r->flow, code);
}

const Quern__MapOutput *shuffle_reader_lost(const struct shuffle_reader *r)
{
	return r->lost;
}

uint64_t shuffle_reader_records(const struct shuffle_reader *r)
{
	return r->records;
}

uint64_t shuffle_reader_bytes(const struct shuffle_reader *r)
{
	return r->bytes;
}

struct shuffle_reader *shuffle_reader_free(struct shuffle_reader *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < r->n; i++) {
		fetch_stop(&r->fetches[i], r->multi);
		fetch_release(&r->fetches[i]);
	}
	free(r->fetches);
	free(r->runs);
	vec_deinit(&r->waiting);
	if (r->multi != NULL)
		(void)curl_multi_cleanup(r->multi);
	free(r);
	return NULL;
}
