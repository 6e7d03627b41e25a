/* Broadcasts as files: fetched from a server and from each other over real sockets, and not taken when they
 * are not what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "base/proof.h"
#include "base/serve.h"
#include "base/socket.h"
#include "executor/broadcast_store.h"
#include "tests/executor/kit.h"

enum { LENGTH = 3 << 20, PATIENCE_S = 60 };

static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";

/* A driver that serves, and two executors. */
struct world {
	struct event_base *loop;
	struct http_client *client;
	struct evhttp *http[3];
	uint16_t port[3];
	struct offers *driver;
	struct broadcast_store *stores[2];
	char folders[2][KIT_PATH];
	uint8_t *bytes;
	uint32_t got; /* the last one that was fetched; 0: none yet */
	char error[512];
};

static void on_fetched(void *arg, uint32_t broadcast, const char *error)
{
	struct world *w = arg;

	w->got = broadcast;
	(void)snprintf(w->error, sizeof(w->error), "%s", error != NULL ? error : "");
	(void)event_base_loopbreak(w->loop);
}

static int memory_of(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	static const char *const ids[] = { "e0", "e1" };
	struct err err = { "" };
	uint64_t random = 1;

	assert_non_null(w);
	*state = w;
	w->loop = event_base_new();
	assert_int_equal(http_client_new(w->loop, 0, &w->client, &err), 0);
	for (int i = 0; i < 3; i++) {
		w->http[i] = evhttp_new(w->loop);
		struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(w->http[i], "127.0.0.1", 0);
		assert_non_null(s);
		w->port[i] = socket_port(evhttp_bound_socket_get_fd(s));
	}
	assert_int_equal(offers_new(w->http[2], secret, PROOF_DRIVER, &w->driver), 0);
	for (int i = 0; i < 2; i++) {
		kit_folder(w->folders[i]);
		const struct broadcast_store_config config = { .folder = w->folders[i],
			.executor_id = ids[i],
			.secret = secret,
			.driver_host = "127.0.0.1",
			.driver_port = w->port[2],
			.loop = w->loop,
			.client = w->client,
			.server = w->http[i],
			.fetched = on_fetched,
			.arg = w };
		assert_int_equal(broadcast_store_new(&config, &w->stores[i]), 0);
	}
	w->bytes = malloc(LENGTH);
	assert_non_null(w->bytes);
	for (size_t i = 0; i < LENGTH; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		w->bytes[i] = (uint8_t)(random >> 56);
	}
	assert_int_equal(offers_add(w->driver, "/broadcast/1", memory_of(w->bytes, LENGTH), LENGTH), 0);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->client = http_client_free(w->client);
	for (int i = 0; i < 2; i++) {
		(void)broadcast_store_free(w->stores[i]);
		tree_remove(w->folders[i]);
	}
	(void)offers_free(w->driver);
	for (int i = 0; i < 3; i++)
		evhttp_free(w->http[i]);
	(void)event_base_loop(w->loop, EVLOOP_NONBLOCK);
	event_base_free(w->loop);
	free(w->bytes);
	free(w);
	return 0;
}

static struct exec_fetch right(const struct world *w, const char *executor_id, int from)
{
	return (struct exec_fetch){ .length = LENGTH,
		.checksum = XXH3_64bits(w->bytes, LENGTH),
		.executor_id = executor_id,
		.address = executor_id != NULL ? "127.0.0.1" : NULL,
		.port = w->port[from] };
}

/* Fetches, and waits for the end of it. `error`: a part of what it says, "" none. */
static void fetch(struct world *w, int store, uint32_t id, struct exec_fetch f, const char *error)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	w->got = 0;
	assert_int_equal(broadcast_store_fetch(w->stores[store], id, &f), 0);
	assert_int_equal(w->got, 0); /* not from inside the call */
	(void)event_base_loopexit(w->loop, &patience);
	assert_int_equal(event_base_dispatch(w->loop), 0);
	assert_int_equal(w->got, id);
	if (*error == '\0')
		assert_string_equal(w->error, "");
	else if (strstr(w->error, error) == NULL)
		fail_msg("no '%s' in '%s'", error, w->error);
}

/* Whether file `name` is there, and nothing else. */
static void assert_file(const struct world *w, int store, const char *name)
{
	DIR *d = opendir(w->folders[store]);
	char found[512] = "";

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			(void)snprintf(found, sizeof(found), "%s", e->d_name);
	(void)closedir(d);
	assert_string_equal(found, name);
}

static void from_the_driver_and_from_one_another(void **state)
{
	struct world *w = *state;
	uint8_t *there = malloc(LENGTH);

	assert_non_null(there);
	fetch(w, 0, 1, right(w, NULL, 2), "");
	assert_file(w, 0, "1");
	offers_remove(w->driver, "/broadcast/1");
	fetch(w, 1, 1, right(w, NULL, 2), "404");
	assert_file(w, 1, "");
	fetch(w, 1, 1, right(w, "e0", 0), "");
	FILE *f = fopen(kit_path(w->folders[1], "1"), "rb");
	assert_non_null(f);
	assert_int_equal(fread(there, 1, LENGTH, f), LENGTH);
	(void)fclose(f);
	assert_memory_equal(there, w->bytes, LENGTH);
	free(there);
}

static void an_empty_one(void **state)
{
	struct world *w = *state;
	struct exec_fetch f = right(w, NULL, 2);

	assert_int_equal(offers_add(w->driver, "/broadcast/2", memory_of(w->bytes, 0), 0), 0);
	f.length = 0;
	f.checksum = XXH3_64bits(NULL, 0);
	fetch(w, 0, 2, f, "");
	assert_file(w, 0, "2");
	f.executor_id = "e0";
	f.address = "127.0.0.1";
	f.port = w->port[0];
	fetch(w, 1, 2, f, "");
}

static void what_it_should_not_be_is_not_taken(void **state)
{
	struct world *w = *state;
	struct exec_fetch f = right(w, NULL, 2);

	f.length = LENGTH - 1;
	fetch(w, 0, 1, f, "more bytes came than");
	assert_file(w, 0, "");
	f.length = LENGTH + 1;
	fetch(w, 0, 1, f, "bytes came instead of");
	f.length = LENGTH;
	f.checksum ^= 1;
	fetch(w, 0, 1, f, "checksum");
	assert_file(w, 0, "");
	fetch(w, 0, 1, right(w, NULL, 2), "");
}

static void only_with_the_proof_of_that_server(void **state)
{
	struct world *w = *state;

	fetch(w, 0, 1, right(w, NULL, 2), "");
	fetch(w, 1, 1, right(w, "e7", 0), "401");
	fetch(w, 1, 1, right(w, "e0", 1), "404"); /* at itself, which has none */
	fetch(w, 1, 1, right(w, "e0", 0), "");
}

static void where_nobody_listens(void **state)
{
	struct world *w = *state;
	struct exec_fetch f = right(w, "e0", 0);

	evhttp_free(w->http[2]);
	w->http[2] = evhttp_new(w->loop);
	(void)offers_free(w->driver);
	w->driver = NULL;
	f.port = w->port[2];
	fetch(w, 1, 1, f, "onnect");
	assert_file(w, 1, "");
}

static void what_is_forgotten_goes_and_is_not_told_of(void **state)
{
	struct world *w = *state;
	struct exec_fetch f = right(w, NULL, 2);

	fetch(w, 0, 1, f, "");
	broadcast_store_forget(w->stores[0], 1);
	assert_file(w, 0, "");
	fetch(w, 1, 1, right(w, "e0", 0), "404");
	/* One that is coming: nothing is heard of it while another one is. */
	assert_int_equal(broadcast_store_fetch(w->stores[0], 1, &f), 0);
	broadcast_store_forget(w->stores[0], 1);
	assert_int_equal(offers_add(w->driver, "/broadcast/2", memory_of(w->bytes, LENGTH), LENGTH), 0);
	fetch(w, 0, 2, f, "");
	assert_file(w, 0, "2");
	broadcast_store_forget(w->stores[0], 3); /* never was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_the_driver_and_from_one_another, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_one, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_should_not_be_is_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(only_with_the_proof_of_that_server, setup, teardown),
		cmocka_unit_test_setup_teardown(where_nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_forgotten_goes_and_is_not_told_of, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
