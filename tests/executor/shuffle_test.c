#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "executor/block.h"
#include "executor/shuffle_read.h"
#include "executor/shuffle_request.h"
#include "executor/shuffle_write.h"
#include "tests/executor/kit.h"
#include "tests/executor/serve.h"

enum { SHUFFLE = 3, MAPS_MAX = 40 };

/* Map outputs in a folder, what they hold by partition, and a table of them. */
struct bench {
	char dir[KIT_PATH];
	uint32_t partitions;
	struct buf expected[8];

	Quern__Outputs outputs;
	Quern__MapOutput map_outputs[MAPS_MAX];
	Quern__MapOutput *list[MAPS_MAX];
	Quern__OutputHost host;
	Quern__OutputHost *hosts[1];

	/* Of the last read: */
	struct flow flow;
	struct kit_sink got;
	struct keep keep;
	uint64_t records, bytes;
	bool lost;
	Quern__MapOutput lost_output;
};

static void bench_open(struct bench *b, uint32_t partitions)
{
	*b = (struct bench){
		.partitions = partitions, .outputs = QUERN__OUTPUTS__INIT, .host = QUERN__OUTPUT_HOST__INIT
	};
	kit_folder(b->dir);
	for (uint32_t i = 0; i < partitions; i++)
		b->expected[i] = BUF_INIT(SIZE_MAX / 2);
	b->outputs.shuffle = SHUFFLE;
	b->outputs.outputs = b->list;
	b->outputs.hosts = b->hosts;
	b->outputs.n_hosts = 1;
	b->hosts[0] = &b->host;
	b->host.executor_id = (char *)(uintptr_t)SERVE_ID;
	b->host.directory = b->dir;
	b->host.machine = (char *)(uintptr_t) "here";
	b->host.address = (char *)(uintptr_t) "no address"; /* reading over HTTP fails at once */
}

static void bench_close(struct bench *b)
{
	for (uint32_t i = 0; i < b->partitions; i++)
		buf_deinit(&b->expected[i]);
	buf_deinit(&b->got.data);
	keep_deinit(&b->keep);
	tree_remove(b->dir);
}

/* Writes the output of another map: `n` records of noise, about, with values up to `value_max` bytes. */
static void write_map(struct bench *b, uint64_t *random, size_t n, size_t value_max)
{
	uint32_t map = (uint32_t)b->outputs.n_outputs;
	const struct shuffle_name name = { SHUFFLE, map, 2 };
	const struct shuffle_write_config config = {
		.dir = b->dir, .name = name, .partitions = b->partitions, .level = 1, .keep = &b->keep
	};
	struct shuffle_writer *w = NULL;
	char *value = malloc(value_max + 1);
	struct err err = { "" };
	char key[32];

	assert_non_null(value);
	assert_int_equal(shuffle_writer_new(&config, &w, &err), 0);
	for (uint32_t p = 0; p < b->partitions; p++) {
		size_t of_this = p == 1 ? 0 : (size_t)kit_below(random, 2 * n + 1); /* one has none */

		for (size_t i = 0; i < of_this; i++) {
			quern_slice k = quern_bytes(key, (size_t)snprintf(key, sizeof(key), "%u.%zu", p, i));
			quern_slice v = quern_bytes(value, (size_t)kit_below(random, value_max + 1));

			for (size_t j = 0; j < v.len; j++)
				value[j] = (char)random_next(random);
			assert_int_equal(shuffle_writer_add(w, p, k, v, &err), 0);
			assert_int_equal(record_put(&b->expected[p], k, v), 0);
		}
	}
	assert_int_equal(shuffle_writer_finish(w, &err), 0);
	assert_string_equal(err.text, "");
	w = shuffle_writer_free(w);
	free(value);
	quern__map_output__init(&b->map_outputs[map]);
	b->map_outputs[map].map = map;
	b->map_outputs[map].attempt = 2;
	b->list[map] = &b->map_outputs[map];
	b->outputs.n_outputs++;
}

/* Reads every run that was brought. */
static void read_runs(struct bench *b, struct shuffle_reader *r)
{
	struct cursor_room room = { BUF_INIT(SIZE_MAX / 2), &b->keep };
	size_t n;
	const struct stored *runs = shuffle_reader_runs(r, &n);

	for (size_t i = 0; i < n && b->flow.result == 0; i++) {
		struct cursor c;
		int e;

		cursor_init(&c, &runs[i]);
		while ((e = cursor_next(&c, &room)) > 0)
			b->got.out.emit(&b->got.out, c.key, c.value);
		if (e < 0)
			shuffle_reader_damaged(r, &runs[i], e);
		cursor_deinit(&c);
	}
	buf_deinit(&room.in);
}

/* Reads a partition; true: without failure. */
static bool read_partition(struct bench *b, uint32_t partition)
{
	struct scratch scratch;
	const struct shuffle_read_config config = { .outputs = &b->outputs,
		.partition = partition,
		.machine = "here",
		.secret = serve_secret,
		.scratch = &scratch,
		.flow = &b->flow,
		.retry_ms = 1 };
	struct shuffle_reader *r = NULL;
	struct err err = { "" };

	b->flow = (struct flow){ 0 };
	buf_deinit(&b->got.data);
	kit_sink_init(&b->got);
	if (shuffle_reader_new(&config, &r, &err) < 0)
		fail_msg("%s", err.text);
	scratch_init(&scratch, b->dir);
	shuffle_reader_bring(r);
	if (b->flow.result == 0)
		read_runs(b, r);
	b->lost = shuffle_reader_lost(r) != NULL;
	if (b->lost)
		b->lost_output = *shuffle_reader_lost(r);
	b->records = shuffle_reader_records(r);
	b->bytes = shuffle_reader_bytes(r);
	r = shuffle_reader_free(r);
	scratch_deinit(&scratch);
	return b->flow.result == 0;
}

static void assert_partitions(struct bench *b)
{
	for (uint32_t p = 0; p < b->partitions; p++) {
		if (!read_partition(b, p))
			fail_msg("%s", b->flow.err.text);
		assert_false(b->lost);
		assert_int_equal(b->records, b->got.n);
		kit_assert_same(&b->got.data, &b->expected[p]);
	}
}

static void read_over_http(struct bench *b, const struct serve *s)
{
	b->host.machine = (char *)(uintptr_t) "elsewhere";
	b->host.address = (char *)(uintptr_t) "127.0.0.1";
	b->host.port = s->port;
}

/* ---- Files ---- */

static void what_maps_write_reduces_read(void **state)
{
	static const struct {
		uint32_t maps, partitions;
		size_t n, value_max;
	} shapes[] = { { 0, 1, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 100, 10 }, { 5, 3, 100, 1000 },
		{ 3, 8, 2, 700000 }, { MAPS_MAX, 2, 1000, 50 } };
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct serve serve;
		struct bench b;

		bench_open(&b, shapes[i].partitions);
		for (uint32_t m = 0; m < shapes[i].maps; m++)
			write_map(&b, &random, shapes[i].n, shapes[i].value_max);
		assert_partitions(&b);
		serve_start(&serve, b.dir, NULL);
		read_over_http(&b, &serve);
		assert_partitions(&b);
		serve_stop(&serve);
		bench_close(&b);
	}
}

/* Every byte of the file counts for one partition or for all. What is given nevertheless is right. */
static void damage_is_seen_and_nothing_wrong_is_given(void **state)
{
	uint64_t random = 2;
	struct bench b;
	size_t len;

	(void)state;
	bench_open(&b, 3);
	write_map(&b, &random, 4, 60);
	const char *path = kit_path(b.dir, "3-0-2.map");
	uint8_t *data = kit_read(path, &len);
	for (size_t i = 0; i < len; i++) {
		uint8_t flip = (uint8_t)(1 + kit_below(&random, 255));
		unsigned failed = 0;

		data[i] ^= flip;
		kit_write(path, data, len);
		data[i] ^= flip;
		for (uint32_t p = 0; p < b.partitions; p++) {
			if (read_partition(&b, p)) {
				kit_assert_same(&b.got.data, &b.expected[p]);
				continue;
			}
			failed++;
			assert_true(b.lost);
			assert_int_equal(b.lost_output.map, 0);
		}
		assert_true(failed > 0);
	}
	for (size_t cut = 0; cut < len; cut++) {
		kit_write(path, data, cut);
		for (uint32_t p = 0; p < b.partitions; p++) {
			assert_false(read_partition(&b, p));
			assert_true(b.lost);
		}
	}
	free(data);
	bench_close(&b);
}

/* A whole file under another's name, and a partition that there is not. */
static void files_are_what_they_are_called(void **state)
{
	uint64_t random = 3;
	struct bench b;

	(void)state;
	bench_open(&b, 3);
	write_map(&b, &random, 4, 60);
	assert_false(read_partition(&b, 3));
	assert_true(b.lost);
	assert_int_equal(rename(kit_path(b.dir, "3-0-2.map"), kit_path(b.dir, "3-0-3.map")), 0);
	b.map_outputs[0].attempt = 3;
	assert_false(read_partition(&b, 0));
	assert_int_equal(b.lost_output.attempt, 3);
	bench_close(&b);
}

/* A map that fails leaves nothing behind; one that is done leaves one file; a shuffle goes as a whole. */
static void files_come_and_go_as_a_whole(void **state)
{
	const struct shuffle_name name = { SHUFFLE, 9, 0 };
	struct shuffle_writer *w = NULL;
	struct err err = { "" };
	uint64_t random = 4;
	struct bench b;

	(void)state;
	bench_open(&b, 2);
	const struct shuffle_write_config config = {
		.dir = b.dir, .name = name, .partitions = 2, .level = 1, .keep = &b.keep
	};
	assert_int_equal(shuffle_writer_new(&config, &w, &err), 0);
	assert_int_equal(shuffle_writer_add(w, 0, quern_str("k"), quern_str("v"), &err), 0);
	w = shuffle_writer_free(w);
	assert_int_equal(kit_entries(b.dir), 0);
	write_map(&b, &random, 3, 3);
	write_map(&b, &random, 3, 3);
	assert_int_equal(kit_entries(b.dir), 2);
	shuffle_drop(b.dir, 33);
	shuffle_drop(b.dir, 0);
	assert_int_equal(kit_entries(b.dir), 2);
	shuffle_drop(b.dir, SHUFFLE);
	assert_int_equal(kit_entries(b.dir), 0);
	shuffle_drop(kit_path(b.dir, "missing"), SHUFFLE);
	bench_close(&b);
}

/* ---- Servers that misbehave ---- */

static bool refuses_at_first(struct evhttp_request *request, unsigned n)
{
	if (n >= 3)
		return false;
	evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
	return true;
}

static bool never_answers_right(struct evhttp_request *request, unsigned n)
{
	struct evbuffer *body = evbuffer_new();

	(void)n;
	(void)evbuffer_add_printf(body, "%0100d", 7);
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
	return true;
}

static bool answers_nothing(struct evhttp_request *request, unsigned n)
{
	(void)n;
	evhttp_send_reply(request, HTTP_OK, "OK", NULL);
	return true;
}

static bool has_gone(struct evhttp_request *request, unsigned n)
{
	(void)request;
	(void)n;
	_exit(0);
}

static void servers_that_fail(void **state)
{
	static const struct {
		serve_trick *trick;
		const char *words; /* NULL: it works out in the end */
	} cases[] = { { refuses_at_first, NULL }, { never_answers_right, "damaged" },
		{ answers_nothing, "too early" }, { has_gone, "map output 3-0-2" } };
	uint64_t random = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serve serve;
		struct bench b;

		bench_open(&b, 1);
		write_map(&b, &random, 100, 100);
		serve_start(&serve, b.dir, cases[i].trick);
		read_over_http(&b, &serve);
		assert_int_equal(read_partition(&b, 0), cases[i].words == NULL);
		assert_int_equal(b.lost, cases[i].words != NULL);
		if (cases[i].words == NULL)
			kit_assert_same(&b.got.data, &b.expected[0]);
		else
			assert_non_null(strstr(b.flow.err.text, cases[i].words));
		serve_stop(&serve);
		bench_close(&b);
	}
}

/* The body of the file's only partition, a part of which each connection brings: `step` bytes more each time.
 */
static void serve_pieces(int listener, const uint8_t *body, size_t len, size_t step)
{
	char head[256];
	char request[4096];

	for (size_t n = step;; n += step) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			_exit(1);
		(void)!read(fd, request, sizeof(request));
		int h = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
		(void)!write(fd, head, (size_t)h);
		size_t part = n < len ? n : len;
		for (size_t at = 0; at < part;) {
			ssize_t w = write(fd, body + at, part - at);
			if (w <= 0)
				break;
			at += (size_t)w;
		}
		(void)shutdown(fd, SHUT_WR);
		(void)!read(fd, request, sizeof(request));
		(void)close(fd);
	}
}

/* A transfer that breaks off is taken up behind the last whole block: no record comes twice. */
static void transfers_that_break_off(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t a_len = sizeof(a);
	uint64_t random = 6;
	struct bench b;
	size_t len;

	(void)state;
	bench_open(&b, 1);
	while (b.expected[0].len < 3 * BLOCK_RAW) { /* noise does not compress: some blocks */
		buf_clear(&b.expected[0]);
		b.outputs.n_outputs = 0;
		write_map(&b, &random, 1000, 2000);
	}
	uint8_t *file = kit_read(kit_path(b.dir, "3-0-2.map"), &len);
	len -= SHUFFLE_ENTRY + SHUFFLE_FOOTER;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)(void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&a, &a_len), 0);
	struct serve serve = { .pid = fork(), .port = ntohs(a.sin_port) };
	if (serve.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		serve_pieces(listener, file, len, len / 3);
	}
	(void)close(listener);
	read_over_http(&b, &serve);
	if (!read_partition(&b, 0))
		fail_msg("%s", b.flow.err.text);
	kit_assert_same(&b.got.data, &b.expected[0]);
	assert_int_equal(b.bytes, len);
	serve_stop(&serve);
	free(file);
	bench_close(&b);
}

static const char *damaged_file;

/* Once: what the file holds for its only partition, with another byte in the middle of it. */
static bool damages_once(struct evhttp_request *request, unsigned n)
{
	size_t len;

	if (n > 0)
		return false;
	uint8_t *file = kit_read(damaged_file, &len);
	struct evbuffer *body = evbuffer_new();
	len -= SHUFFLE_ENTRY + SHUFFLE_FOOTER;
	file[len / 2] ^= 1;
	(void)evbuffer_add(body, file, len);
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
	free(file);
	return true;
}

/* Only what was damaged is asked for again, and what was right before it is not lost. */
static void a_transfer_that_is_damaged_once(void **state)
{
	uint64_t random = 11;
	struct serve serve;
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	while (b.expected[0].len < 6 * BLOCK_RAW) {
		buf_clear(&b.expected[0]);
		b.outputs.n_outputs = 0;
		write_map(&b, &random, 2000, 2000);
	}
	damaged_file = kit_path(b.dir, "3-0-2.map");
	serve_start(&serve, b.dir, damages_once);
	read_over_http(&b, &serve);
	if (!read_partition(&b, 0))
		fail_msg("%s", b.flow.err.text);
	kit_assert_same(&b.got.data, &b.expected[0]);
	serve_stop(&serve);
	bench_close(&b);
}

/* More files on this machine than may be open: the others come another way. */
static void few_descriptors(void **state)
{
	struct rlimit before, few;
	uint64_t random = 12;
	struct serve serve;
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	for (int i = 0; i < MAPS_MAX; i++)
		write_map(&b, &random, 10, 10);
	serve_start(&serve, b.dir, NULL);
	read_over_http(&b, &serve);
	b.host.machine = (char *)(uintptr_t) "here";
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = MAPS_MAX - 5;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	bool read = read_partition(&b, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (!read)
		fail_msg("%s", b.flow.err.text);
	kit_assert_same(&b.got.data, &b.expected[0]);
	serve_stop(&serve);
	bench_close(&b);
}

static void nobody_there(void **state)
{
	uint64_t random = 7;
	struct serve serve;
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	write_map(&b, &random, 1, 1);
	serve_start(&serve, b.dir, NULL);
	read_over_http(&b, &serve);
	serve_stop(&serve);
	assert_false(read_partition(&b, 0));
	assert_true(b.lost);
	bench_close(&b);
}

/* The secret of another job, or the id of another executor, opens nothing. */
static void strangers_are_refused(void **state)
{
	uint64_t random = 8;
	struct serve serve;
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	write_map(&b, &random, 1, 1);
	serve_start(&serve, b.dir, NULL);
	read_over_http(&b, &serve);
	b.host.executor_id = (char *)(uintptr_t) "executor-2";
	assert_false(read_partition(&b, 0));
	assert_non_null(strstr(b.flow.err.text, "401"));
	b.host.executor_id = (char *)(uintptr_t)SERVE_ID;
	assert_partitions(&b);
	serve_stop(&serve);
	bench_close(&b);
}

/* Files that were replaced or dropped while the server had them open. */
static void the_server_follows_the_folder(void **state)
{
	uint64_t random = 9;
	struct serve serve;
	struct bench b;

	(void)state;
	bench_open(&b, 2);
	write_map(&b, &random, 5, 5);
	serve_start(&serve, b.dir, NULL);
	read_over_http(&b, &serve);
	assert_partitions(&b);
	shuffle_drop(b.dir, SHUFFLE);
	assert_false(read_partition(&b, 0));
	assert_non_null(strstr(b.flow.err.text, "404"));
	b.outputs.n_outputs = 0;
	for (uint32_t p = 0; p < b.partitions; p++)
		buf_clear(&b.expected[p]);
	write_map(&b, &random, 5, 5);
	assert_partitions(&b);
	serve_stop(&serve);
	bench_close(&b);
}

/* ---- Requests ---- */

static void requests(void **state)
{
	static const char *const wrong[] = { "", "/", "/shuffle", "/shuffle/", "/shuffle/1/2/3",
		"/shuffle/1/2/3/", "/shuffle/1/2/3/4/", "/shuffle/1/2/3/4/5", "/shuffle/1/2/3/4?x",
		"/shuffle/1/2/3/-4", "/shuffle/1/2/3/+4", "/shuffle/1/2/3/ 4", "/shuffle/1/2/3/04",
		"/shuffle/1/2/3/4294967296", "/shuffle/1//3/4", "/shuffle/1/2/3/99999999999999999999999",
		"/shuffle/../2/3/4", "shuffle/1/2/3/4", "/shuffle1/2/3/4", "/shuffle/1/2/3/4x",
		"/shuffle/0x1/2/3/4", "http://h/shuffle/1/2/3/4" };
	const struct shuffle_request most = { { UINT32_MAX, UINT32_MAX, UINT32_MAX }, UINT32_MAX };
	struct shuffle_request q = { { 9, 9, 9 }, 9 };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (shuffle_request_parse(wrong[i], &q) == 0)
			fail_msg("'%s' is taken for a request", wrong[i]);
	assert_int_equal(q.partition, 9); /* untouched */
	assert_int_equal(shuffle_request_parse("/shuffle/1/20/0/4", &q), 0);
	assert_int_equal(q.name.shuffle, 1);
	assert_int_equal(q.name.map, 20);
	assert_int_equal(q.name.attempt, 0);
	assert_int_equal(q.partition, 4);
	shuffle_request_print(&most, text);
	assert_int_equal(shuffle_request_parse(text, &q), 0);
	assert_memory_equal(&q, &most, sizeof(q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_maps_write_reduces_read),
		cmocka_unit_test(damage_is_seen_and_nothing_wrong_is_given),
		cmocka_unit_test(files_are_what_they_are_called),
		cmocka_unit_test(files_come_and_go_as_a_whole),
		cmocka_unit_test(servers_that_fail),
		cmocka_unit_test(transfers_that_break_off),
		cmocka_unit_test(a_transfer_that_is_damaged_once),
		cmocka_unit_test(few_descriptors),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(the_server_follows_the_folder),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
