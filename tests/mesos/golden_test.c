/* golden_test.c: what a real Mesos and its frameworks sent (captures/), through RecordIO and the decoders,
 * against files that golden_test.py made from the same bytes without this code. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/http.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "mesos/executor.pb-c.h"
#include "mesos/json.h"
#include "mesos/recordio.h"
#include "mesos/scheduler.pb-c.h"
#include "tests/base/script_server.h"

enum { ROUNDS = 60 }; /* of random splits */

static const struct stream {
	const char *name;
	const ProtobufCMessageDescriptor *type;
} streams[] = {
	{ "scheduler", &mesos__v1__scheduler__event__descriptor },
	{ "scheduler-failover", &mesos__v1__scheduler__event__descriptor },
	{ "scheduler-after-teardown", &mesos__v1__scheduler__event__descriptor },
	{ "executor-e1", &mesos__v1__executor__event__descriptor },
	{ "executor-e2", &mesos__v1__executor__event__descriptor },
};
enum { STREAMS = sizeof(streams) / sizeof(*streams) };

static void load(const char *name, const char *suffix, struct buf *ret)
{
	const char *folder = getenv("QUERN_TEST_CAPTURES");
	char path[4096], piece[4096];
	size_t n;

	assert_non_null(folder);
	(void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	*ret = BUF_INIT(1 << 20);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		assert_int_equal(buf_add(ret, piece, n), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(buf_add(ret, "", 1), 0); /* terminated, for string functions */
	ret->len--;
}

/* The bytes behind the head of a recorded response, chunks joined. */
static void body_of(const struct buf *response, struct buf *ret)
{
	const uint8_t *at = memmem(response->data, response->len, "\r\n\r\n", 4);
	const uint8_t *end = response->data + response->len;

	*ret = BUF_INIT(1 << 20);
	assert_non_null(at);
	at += 4;
	while (at < end) { /* a recording may end before the stream did */
		char *after;
		size_t n = strtoul((const char *)at, &after, 16);

		at = (const uint8_t *)after + 2;
		if (n == 0)
			break;
		assert_true((size_t)(end - at) >= n + 2);
		assert_int_equal(buf_add(ret, at, n), 0);
		at += n + 2;
	}
}

/* Compares records with the golden lines, one after the other. */
struct check {
	const ProtobufCMessageDescriptor *type;
	enum mesos_media media;
	struct buf golden;
	const char *next; /* line */
	size_t n;
};

static void check_init(struct check *c, const struct stream *s, enum mesos_media media)
{
	*c = (struct check){ .type = s->type, .media = media };
	load(s->name, ".events", &c->golden);
	c->next = (const char *)c->golden.data;
}

static void check_end(struct check *c)
{
	assert_string_equal(c->next, ""); /* all were there */
	assert_true(c->n > 0);
	buf_deinit(&c->golden);
}

static ProtobufCMessage *decoded(
	const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data, size_t len)
{
	ProtobufCMessage *m = NULL;
	struct err err = { "" };

	if (mesos_decode(type, media, data, len, &m, &err) != 0)
		fail_msg("%s", err.text);
	return m;
}

/* The message is, as JSON, the first line of `line`; encoded and decoded in both media it stays that. */
static void assert_line(const ProtobufCMessage *m, const char *line)
{
	json_error_t why;
	json_t *golden = json_loadb(line, strcspn(line, "\n"), 0, &why), *is = json_from_message(m);

	assert_non_null(golden);
	assert_non_null(is);
	if (!json_equal(golden, is))
		fail_msg("%s\nis not\n%s", json_dumps(is, JSON_COMPACT), line);
	for (enum mesos_media media = MESOS_PROTOBUF; media <= MESOS_JSON; media++) {
		struct buf again = BUF_INIT(1 << 20);

		assert_int_equal(mesos_encode(m, media, &again), 0);
		ProtobufCMessage *back = decoded(m->descriptor, media, again.data, again.len);
		json_t *json = json_from_message(back);
		assert_true(json_equal(golden, json));
		json_decref(json);
		protobuf_c_message_free_unpacked(back, NULL);
		buf_deinit(&again);
	}
	json_decref(golden);
	json_decref(is);
}

static int on_record(void *arg, const void *data, size_t len)
{
	struct check *c = arg;

	assert_string_not_equal(c->next, "");
	ProtobufCMessage *m = decoded(c->type, c->media, data, len);
	assert_line(m, c->next);
	protobuf_c_message_free_unpacked(m, NULL);
	c->next += strcspn(c->next, "\n") + 1;
	c->n++;
	return 0;
}

/* A small generator of its own, so that a seed means the same everywhere (xorshift32). */
static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Feeds the stream in pieces of 1 to `most` bytes (random), or of exactly 1 or all (seed 0). */
static void feed(
	const struct stream *s, enum mesos_media media, const struct buf *body, size_t most, uint32_t seed)
{
	struct recordio r = RECORDIO_INIT(1 << 20);
	struct err err = { "" };
	struct check c;

	check_init(&c, s, media);
	for (size_t at = 0; at < body->len;) {
		size_t n = seed == 0 ? most : random_next(&seed) % most + 1;

		n = n < body->len - at ? n : body->len - at;
		if (recordio_feed(&r, body->data + at, n, on_record, &c, &err) != 0)
			fail_msg("%s: %s", s->name, err.text);
		at += n;
	}
	assert_int_equal(r.partial.len, 0);
	recordio_deinit(&r);
	check_end(&c);
}

static void feed_all_ways(const struct stream *s, enum mesos_media media, const struct buf *body)
{
	feed(s, media, body, body->len, 0);
	feed(s, media, body, 1, 0);
	for (uint32_t seed = 1; seed <= ROUNDS; seed++)
		feed(s, media, body, seed % 2 == 0 ? 16 : 700, seed);
}

static void recorded_streams_give_the_recorded_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < STREAMS; i++) {
		struct buf response, body;

		load(streams[i].name, ".http", &response);
		body_of(&response, &body);
		feed_all_ways(&streams[i], MESOS_PROTOBUF, &body);
		buf_deinit(&response);
		buf_deinit(&body);
	}
}

/* The same events as a master writes them for a framework that speaks JSON. */
static void the_same_streams_in_json_give_the_same_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < STREAMS; i++) {
		struct buf golden, body = BUF_INIT(1 << 20);

		load(streams[i].name, ".events", &golden);
		for (const char *line = (const char *)golden.data; *line != '\0';) {
			size_t n = strcspn(line, "\n");

			assert_int_equal(recordio_encode(&body, line, n), 0);
			line += n + 1;
		}
		feed_all_ways(&streams[i], MESOS_JSON, &body);
		buf_deinit(&golden);
		buf_deinit(&body);
	}
}

static void expect_calls(const char *api, const ProtobufCMessageDescriptor *type, size_t expected)
{
	struct buf golden;
	size_t n = 0;

	load(api, ".calls", &golden);
	for (char *line = (char *)golden.data; *line != '\0'; n++) { /* "FILE JSON" */
		struct buf recorded, again = BUF_INIT(1 << 20);

		char *json = strchr(line, ' ');
		assert_non_null(json);
		*json++ = '\0';
		load(line, "", &recorded);
		ProtobufCMessage *m = decoded(type, MESOS_PROTOBUF, recorded.data, recorded.len);
		assert_line(m, json);
		assert_int_equal(mesos_encode(m, MESOS_PROTOBUF, &again), 0);
		assert_int_equal(again.len, recorded.len);
		assert_memory_equal(again.data, recorded.data, recorded.len);
		protobuf_c_message_free_unpacked(m, NULL);
		/* From JSON, it is the same bytes as well. */
		size_t len = strcspn(json, "\n");
		m = decoded(type, MESOS_JSON, json, len);
		buf_clear(&again);
		assert_int_equal(mesos_encode(m, MESOS_PROTOBUF, &again), 0);
		assert_int_equal(again.len, recorded.len);
		assert_memory_equal(again.data, recorded.data, recorded.len);
		protobuf_c_message_free_unpacked(m, NULL);
		buf_deinit(&recorded);
		buf_deinit(&again);
		line = json + len + 1;
	}
	assert_int_equal(n, expected);
	buf_deinit(&golden);
}

static void recorded_calls_decode_and_encode_to_the_same_bytes(void **state)
{
	(void)state;
	expect_calls("scheduler", &mesos__v1__scheduler__call__descriptor, 26);
	expect_calls("executor", &mesos__v1__executor__call__descriptor, 10);
}

/* What a master writes into its znode. */
static void the_master_in_zookeeper_is_understood(void **state)
{
	struct buf json;

	(void)state;
	load("master-info.json", "", &json);
	ProtobufCMessage *m = decoded(&mesos__v1__master_info__descriptor, MESOS_JSON, json.data, json.len);
	const Mesos__V1__MasterInfo *info = (const Mesos__V1__MasterInfo *)m;
	assert_string_equal(info->id, "e1b73259-c118-4662-af65-588d9fb6bbe1");
	assert_int_equal(info->ip, 16777343);
	assert_int_equal(info->port, 5050);
	assert_string_equal(info->pid, "master@127.0.0.1:5050");
	assert_string_equal(info->version, "1.12.0");
	assert_string_equal(info->address->ip, "127.0.0.1");
	assert_int_equal(info->address->port, 5050);
	protobuf_c_message_free_unpacked(m, NULL);
	buf_deinit(&json);
}

/* ---- The same through the connection ---- */

struct replay {
	struct event_base *loop;
	struct script_server server;
	struct check check;
	struct buf response;
	size_t sent;
	uint32_t seed; /* of the splits; 0: all at once */
	int downs;
};

static int on_subscribe(void *arg, struct buf *body)
{
	(void)arg;
	return buf_add_str(body, "S");
}

static int on_event(void *arg, const void *data, size_t len)
{
	return on_record(&((struct replay *)arg)->check, data, len);
}

static void on_down(void *arg, const char *why)
{
	(void)why;
	((struct replay *)arg)->downs++;
}

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	fail_msg("%s", why);
}

static const struct mesos_client_ops ops = {
	.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost
};

static void replay(const struct stream *s, uint32_t seed)
{
	struct replay r = { .loop = event_base_new(), .seed = seed };
	struct http_client *http;
	struct mesos_client *client;
	struct err err;

	check_init(&r.check, s, MESOS_PROTOBUF);
	load(s->name, ".http", &r.response);
	script_listen(&r.server, r.loop);
	const char *const endpoints[] = { r.server.at, NULL };
	const struct mesos_client_config config = { .endpoints = endpoints, .path = "/api/v1/x" };
	assert_int_equal(http_client_new(r.loop, 0, &http, &err), 0);
	assert_int_equal(mesos_client_new(r.loop, http, &config, &ops, &r, &client, &err), 0);
	assert_int_equal(mesos_client_start(client, &err), 0);
	SCRIPT_WAIT(r.loop, r.server.n == 1);
	while (r.sent < r.response.len) {
		size_t left = r.response.len - r.sent, n = seed == 0 ? left : random_next(&r.seed) % 300 + 1;

		n = n < left ? n : left;
		script_send(r.server.requests[0].peer, r.response.data + r.sent, n);
		r.sent += n;
		assert_int_equal(event_base_loop(r.loop, EVLOOP_NONBLOCK), 0);
	}
	r.server.requests[0].peer->close_when_sent = true;
	script_say(r.server.requests[0].peer, "\r\n");
	SCRIPT_WAIT(r.loop, r.downs == 1);
	check_end(&r.check);
	(void)mesos_client_free(client);
	(void)http_client_free(http);
	script_end(&r.server);
	event_base_free(r.loop);
	buf_deinit(&r.response);
}

static void recorded_responses_give_the_recorded_events_to_a_client(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < STREAMS; i++)
		for (uint32_t seed = 0; seed < 4; seed++)
			replay(&streams[i], seed);
}

static void on_redirect(void *arg, const struct http_response *r)
{
	assert_int_equal(r->result, 0);
	assert_int_equal(r->status, 307);
	assert_string_equal(r->location, "//localhost:5050/master/api/v1/scheduler");
	*(bool *)arg = true;
}

static void the_redirect_of_a_standby_is_understood(void **state)
{
	struct event_base *loop = event_base_new();
	struct script_server server;
	struct http_client *http;
	struct buf response;
	struct err err;
	char url[64];
	bool done = false;

	(void)state;
	load("redirect-from-standby.http", "", &response);
	script_listen(&server, loop);
	assert_int_equal(http_client_new(loop, 0, &http, &err), 0);
	(void)snprintf(url, sizeof(url), "http://%s/", server.at);
	const struct http_options o = {
		.method = "POST", .url = url, .body = "S", .body_len = 1, .done = on_redirect, .arg = &done
	};
	assert_int_equal(http_start(http, &o, NULL, &err), 0);
	SCRIPT_WAIT(loop, server.n == 1);
	script_send(server.requests[0].peer, response.data, response.len);
	SCRIPT_WAIT(loop, done);
	(void)http_client_free(http);
	script_end(&server);
	event_base_free(loop);
	buf_deinit(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_streams_give_the_recorded_events),
		cmocka_unit_test(the_same_streams_in_json_give_the_same_events),
		cmocka_unit_test(recorded_calls_decode_and_encode_to_the_same_bytes),
		cmocka_unit_test(the_master_in_zookeeper_is_understood),
		cmocka_unit_test(recorded_responses_give_the_recorded_events_to_a_client),
		cmocka_unit_test(the_redirect_of_a_standby_is_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
