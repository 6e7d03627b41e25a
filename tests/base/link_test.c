#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/link.h"

static const uint8_t SECRET[LINK_SECRET] = "0123456789abcdef0123456789abcde";
static const uint8_t OTHER[LINK_SECRET] = "another secret, of 32 bytes too";

/* One end of a link: what happened to it. */
struct end {
	struct event_base *loop;
	struct link *link;
	int ups, downs, frames;
	char name[LINK_NAME_MAX + 1];
	char why[512];
	struct buf got; /* the bytes of all frames */
	bool echo;      /* send every frame back */
	bool free_on_frame, free_on_up;
};

static void on_up(void *arg, struct link *link, const char *name)
{
	struct end *e = arg;

	e->ups++;
	e->link = link;
	(void)strncpy(e->name, name != NULL ? name : "(none)", sizeof(e->name) - 1);
	if (e->free_on_up)
		e->link = link_free(link);
	event_base_loopbreak(e->loop);
}

static void on_frame(void *arg, struct link *link, const void *data, size_t len)
{
	struct end *e = arg;

	e->frames++;
	assert_int_equal(buf_add(&e->got, data, len), 0);
	if (e->echo)
		assert_int_equal(link_send(link, data, len), 0);
	if (e->free_on_frame)
		e->link = link_free(link);
	event_base_loopbreak(e->loop);
}

static void on_down(void *arg, struct link *link, const char *why)
{
	struct end *e = arg;

	(void)link;
	e->downs++;
	e->link = NULL;
	(void)strncpy(e->why, why, sizeof(e->why) - 1);
	event_base_loopbreak(e->loop);
}

static const struct link_ops ops = { .up = on_up, .frame = on_frame, .down = on_down };

struct pair {
	struct event_base *loop;
	struct link_server *server;
	struct end s, c;
};

static struct link_config config_of(struct end *e, const uint8_t *secret)
{
	return (struct link_config){ .secret = secret, .ops = &ops, .arg = e };
}

static int setup(void **state)
{
	static struct pair p;
	struct err err;

	memset(&p, 0, sizeof(p));
	(void)signal(SIGPIPE, SIG_IGN);
	p.loop = event_base_new();
	p.s.loop = p.c.loop = p.loop;
	p.s.got = p.c.got = BUF_INIT(64 << 20);
	struct link_config config = config_of(&p.s, SECRET);
	config.max_frame = 1 << 20;
	assert_int_equal(link_listen(p.loop, "127.0.0.1", 0, &config, &p.server, &err), 0);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	(void)link_free(p->c.link);
	(void)link_server_free(p->server);
	buf_deinit(&p->s.got);
	buf_deinit(&p->c.got);
	event_base_free(p->loop);
	libevent_global_shutdown();
	return 0;
}

/* Runs the loop until the condition holds; a test that hangs is ended by its time limit. */
#define WAIT(p, condition)                                                                                   \
	while (!(condition))                                                                                 \
	assert_int_not_equal(event_base_loop((p)->loop, EVLOOP_ONCE), -1)

static void connect_as(struct pair *p, const char *host, const char *name, const uint8_t *secret)
{
	struct link_config config = config_of(&p->c, secret);
	struct err err;

	assert_int_equal(
		link_connect(p->loop, host, link_server_port(p->server), name, &config, &p->c.link, &err), 0);
	assert_int_equal(p->c.ups + p->c.downs, 0); /* nothing is called from inside */
}

static void both_ends_come_up_and_the_server_learns_the_name(void **state)
{
	struct pair *p = *state;

	connect_as(p, "127.0.0.1", "executor-7", SECRET);
	WAIT(p, p->c.ups == 1 && p->s.ups == 1);
	assert_string_equal(p->s.name, "executor-7");
	assert_string_equal(p->c.name, "(none)");
}

static void a_host_name_is_resolved(void **state)
{
	struct pair *p = *state;

	connect_as(p, "localhost", "e", SECRET);
	WAIT(p, p->c.ups == 1);
}

static void a_name_that_nobody_has_comes_as_down(void **state)
{
	struct pair *p = *state;

	connect_as(p, "no such host", "e", SECRET);
	WAIT(p, p->c.downs == 1);
	assert_non_null(strstr(p->c.why, "no such host"));
}

static void a_refused_connection_comes_as_down(void **state)
{
	struct pair *p = *state;
	uint16_t port = link_server_port(p->server);
	struct link_config config = config_of(&p->c, SECRET);
	struct err err;

	p->server = link_server_free(p->server);
	assert_int_equal(link_connect(p->loop, "127.0.0.1", port, "e", &config, &p->c.link, &err), 0);
	WAIT(p, p->c.downs == 1);
	assert_non_null(strstr(p->c.why, "Connection refused"));
	assert_int_equal(p->c.ups, 0);
}

static void a_client_with_another_secret_is_closed_unseen(void **state)
{
	struct pair *p = *state;

	connect_as(p, "127.0.0.1", "e", OTHER);
	WAIT(p, p->c.downs == 1);
	assert_int_equal(p->c.ups, 0);
	assert_int_equal(p->s.ups, 0);
	assert_int_equal(p->s.downs, 0);
}

static void frames_arrive_whole_and_in_order_both_ways(void **state)
{
	struct pair *p = *state;
	static uint8_t big[1 << 20];
	auto_buf struct buf sent = BUF_INIT(64 << 20);

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	p->s.echo = true;
	connect_as(p, "127.0.0.1", "e", SECRET);
	/* The first leave before the link is up. */
	for (size_t n = 1, i = 0; i<24; i++, n = n * 2> sizeof(big) ? 1 : n * 2) {
		assert_int_equal(link_send(p->c.link, big, n), 0);
		assert_int_equal(buf_add(&sent, big, n), 0);
		if (i == 7)
			WAIT(p, p->c.ups == 1);
	}
	WAIT(p, p->c.frames == 24);
	assert_int_equal(p->c.got.len, sent.len);
	assert_memory_equal(p->c.got.data, sent.data, sent.len);
}

static void an_empty_frame_is_not_passed_on(void **state)
{
	struct pair *p = *state;

	connect_as(p, "127.0.0.1", "e", SECRET);
	assert_int_equal(link_send(p->c.link, NULL, 0), 0);
	assert_int_equal(link_send(p->c.link, "x", 1), 0);
	WAIT(p, p->s.frames > 0);
	assert_int_equal(p->s.frames, 1);
	assert_memory_equal(p->s.got.data, "x", 1);
}

static void a_frame_above_the_limit_ends_the_link(void **state)
{
	struct pair *p = *state;
	static uint8_t big[(1 << 20) + 1];

	connect_as(p, "127.0.0.1", "e", SECRET);
	assert_int_equal(link_send(p->c.link, big, sizeof(big)), 0);
	WAIT(p, p->s.downs == 1 && p->c.downs == 1);
	assert_non_null(strstr(p->s.why, "1048577"));
	assert_int_equal(p->s.frames, 0);
}

static void a_full_queue_refuses_and_keeps_what_is_in_it(void **state)
{
	struct pair *p = *state;
	struct link_config config = config_of(&p->c, SECRET);
	struct err err;

	config.max_queue = 10;
	assert_int_equal(link_connect(p->loop, "127.0.0.1", link_server_port(p->server), "e", &config,
				 &p->c.link, &err),
		0);
	assert_int_equal(link_send(p->c.link, "12345", 5), 0);
	assert_int_equal(link_send(p->c.link, "123456", 6), -EMSGSIZE);
	assert_int_equal(link_send(p->c.link, "12345678901", 11), -EMSGSIZE);
	WAIT(p, p->s.frames == 1);
	assert_int_equal(p->s.got.len, 5);
}

static void the_end_of_one_side_is_told_to_the_other_once(void **state)
{
	struct pair *p = *state;

	connect_as(p, "127.0.0.1", "e", SECRET);
	WAIT(p, p->c.ups == 1 && p->s.ups == 1);
	p->c.link = link_free(p->c.link);
	WAIT(p, p->s.downs == 1);
	assert_int_equal(p->c.downs, 0);
	assert_non_null(strstr(p->s.why, "closed"));
}

static void a_link_may_be_freed_in_its_callbacks(void **state)
{
	struct pair *p = *state;

	p->s.free_on_frame = true;
	connect_as(p, "127.0.0.1", "e", SECRET);
	assert_int_equal(link_send(p->c.link, "a", 1), 0);
	assert_int_equal(link_send(p->c.link, "b", 1), 0);
	WAIT(p, p->c.downs == 1);
	assert_int_equal(p->s.frames, 1); /* nothing after it was freed */
	assert_int_equal(p->s.downs, 0);

	p->s.free_on_up = true;
	p->c.ups = p->c.downs = 0;
	connect_as(p, "127.0.0.1", "e", SECRET);
	WAIT(p, p->c.downs == 1);
	assert_int_equal(p->s.downs, 0);
}

static void names_that_are_too_long_are_refused(void **state)
{
	struct pair *p = *state;
	struct link_config config = config_of(&p->c, SECRET);
	char name[LINK_NAME_MAX + 2];
	struct err err;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(link_connect(p->loop, "127.0.0.1", 1, name, &config, &p->c.link, &err), -EINVAL);
	assert_int_equal(link_connect(p->loop, "", 1, "e", &config, &p->c.link, &err), -EINVAL);
	assert_int_equal(link_listen(p->loop, "not an address", 0, &config, &p->server, &err), -EINVAL);
}

/* A peer made by hand after the description in link.h. */
static int raw_client(const struct pair *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(link_server_port(p->server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
	return fd;
}

static void wait_readable(struct pair *p, int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
		assert_int_not_equal(event_base_loop(p->loop, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
}

static void the_handshake_is_the_one_that_is_written_down(void **state)
{
	struct pair *p = *state;
	uint8_t text[12 + 32 + 32 + 3], hello[32 + 2 + 3 + 32], proof[32], want[32];
	unsigned len = 32;
	int fd = raw_client(p);

	wait_readable(p, fd);
	memcpy(text, "quern client", 12);
	assert_int_equal(recv(fd, text + 12, 32, MSG_WAITALL), 32);
	memset(hello, 0xc5, 32);
	memcpy(hello + 32, "\3\0exe", 5);
	memcpy(text + 44, hello, 32);
	memcpy(text + 76, "exe", 3);
	assert_non_null(HMAC(EVP_sha256(), SECRET, LINK_SECRET, text, sizeof(text), hello + 37, &len));
	for (size_t i = 0; i < sizeof(hello); i++) { /* in the smallest pieces */
		assert_int_equal(send(fd, hello + i, 1, 0), 1);
		assert_int_not_equal(event_base_loop(p->loop, EVLOOP_NONBLOCK), -1);
	}
	wait_readable(p, fd);
	assert_int_equal(recv(fd, proof, 32, MSG_WAITALL), 32);
	uint8_t mine[12 + 64];
	memcpy(mine, "quern server", 12);
	memcpy(mine + 12, hello, 32);
	memcpy(mine + 44, text + 12, 32);
	assert_non_null(HMAC(EVP_sha256(), SECRET, LINK_SECRET, mine, sizeof(mine), want, &len));
	assert_memory_equal(proof, want, 32);
	WAIT(p, p->s.ups == 1);
	assert_string_equal(p->s.name, "exe");

	assert_int_equal(send(fd, "\0\0\0\0\2\0\0\0hi", 10, 0), 10);
	WAIT(p, p->s.frames == 1);
	assert_memory_equal(p->s.got.data, "hi", 2);
	(void)close(fd);
	WAIT(p, p->s.downs == 1);
}

static void nonsense_in_the_handshake_is_closed(void **state)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: quern\r\nUser-Agent: somebody\r\n\r\n";
	static const char long_name[] = "0123456789abcdef0123456789abcdef\xff\xffxxxxxxxxxxxxx";
	static const char nul_in_name[] =
		"0123456789abcdef0123456789abcdef\3\0a\0b--------------------------------";
	static const struct {
		const char *text;
		size_t len;
	} nonsense[] = { { http, sizeof(http) - 1 }, { long_name, sizeof(long_name) - 1 },
		{ nul_in_name, sizeof(nul_in_name) - 1 } };
	struct pair *p = *state;

	for (size_t i = 0; i < 3; i++) {
		int fd = raw_client(p);
		char nonce[32], byte;

		assert_int_equal(send(fd, nonsense[i].text, nonsense[i].len, 0), nonsense[i].len);
		wait_readable(p, fd);
		assert_int_equal(recv(fd, nonce, 32, MSG_WAITALL), 32);
		ssize_t n;
		while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
			assert_int_not_equal(event_base_loop(p->loop, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
		assert_true(n <= 0);
		(void)close(fd);
	}
	assert_int_equal(p->s.ups + p->s.downs, 0);
}

static void a_server_without_the_secret_gets_no_frame(void **state)
{
	struct pair *p = *state;
	struct link_server *false_server;
	struct end e = { .loop = p->loop, .got = BUF_INIT(1 << 20) };
	struct link_config config = config_of(&e, OTHER);
	struct link_config client = config_of(&p->c, SECRET);
	struct err err;

	assert_int_equal(link_listen(p->loop, "127.0.0.1", 0, &config, &false_server, &err), 0);
	assert_int_equal(link_connect(p->loop, "127.0.0.1", link_server_port(false_server), "e", &client,
				 &p->c.link, &err),
		0);
	assert_int_equal(link_send(p->c.link, "secret", 6), 0);
	WAIT(p, p->c.downs == 1);
	assert_int_equal(e.frames + e.ups, 0);
	(void)link_server_free(false_server);
	buf_deinit(&e.got);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_ends_come_up_and_the_server_learns_the_name),
		TEST(a_host_name_is_resolved),
		TEST(a_name_that_nobody_has_comes_as_down),
		TEST(a_refused_connection_comes_as_down),
		TEST(a_client_with_another_secret_is_closed_unseen),
		TEST(frames_arrive_whole_and_in_order_both_ways),
		TEST(an_empty_frame_is_not_passed_on),
		TEST(a_frame_above_the_limit_ends_the_link),
		TEST(a_full_queue_refuses_and_keeps_what_is_in_it),
		TEST(the_end_of_one_side_is_told_to_the_other_once),
		TEST(a_link_may_be_freed_in_its_callbacks),
		TEST(names_that_are_too_long_are_refused),
		TEST(the_handshake_is_the_one_that_is_written_down),
		TEST(nonsense_in_the_handshake_is_closed),
		TEST(a_server_without_the_secret_gets_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
