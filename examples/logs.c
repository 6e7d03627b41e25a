/* logs.c: what each customer asked a web server for: requests, failures and bytes.
 *
 *     quern run logs.c LOGS CUSTOMERS OUTPUT
 *
 * LOGS are access logs as web servers write them:
 *
 *     192.0.2.7 - - [25/Nov/2026:09:14:01 +0000] "GET /index.html HTTP/1.1" 200 5120
 *
 * A line of CUSTOMERS is "ADDRESS<TAB>NAME"; a customer may have several addresses. A line of the output is
 * "NAME<TAB>REQUESTS FAILURES BYTES", in the order of names; what nobody is known for goes to "-". */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>

struct traffic {
	uint64_t requests, failures, bytes;
};

/* The address, and what this line adds to its traffic. */
static void request(quern_slice line, quern_out *out, void *arg)
{
	const quern_slice quote = quern_str("\"");
	struct traffic t = { .requests = 1 };
	quern_slice address, status, bytes, rest;

	(void)arg;
	if (!quern_next_word(&line, &address) || !quern_field(line, quote, 2, &rest) ||
		!quern_next_word(&rest, &status) || !quern_next_word(&rest, &bytes))
		quern_bad_record("not a line of an access log");
	t.failures = quern_need_u64(status) >= 400;
	t.bytes = bytes.len == 1 && bytes.ptr[0] == '-' ? 0 : quern_need_u64(bytes);
	quern_emit(out, address, quern_bytes(&t, sizeof(t)));
}

static struct traffic get(quern_slice value)
{
	struct traffic t;

	if (value.len != sizeof(t))
		quern_fail("%zu bytes are no traffic", value.len);
	memcpy(&t, value.ptr, sizeof(t));
	return t;
}

static void add(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct traffic x = get(a), y = get(b);

	(void)arg;
	x.requests += y.requests;
	x.failures += y.failures;
	x.bytes += y.bytes;
	quern_put(out, quern_bytes(&x, sizeof(x)));
}

static void customer(quern_slice line, quern_out *out, void *arg)
{
	const quern_slice tab = quern_str("\t");

	(void)arg;
	quern_emit(out, quern_need_field(line, tab, 0), quern_need_field(line, tab, 1));
}

/* Every address on the left is here once, with the name on the right, or NULL. */
static void by_name(
	quern_slice address, const quern_slice *traffic, const quern_slice *name, quern_out *out, void *arg)
{
	(void)address, (void)arg;
	quern_emit(out, name != NULL ? *name : quern_str("-"), *traffic);
}

static void as_text(quern_slice name, quern_slice value, quern_out *out, void *arg)
{
	struct traffic t = get(value);
	char text[80];

	(void)arg;
	(void)snprintf(
		text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64, t.requests, t.failures, t.bytes);
	quern_emit(out, name, quern_str(text));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 4) {
		(void)fprintf(stderr, "usage: %s LOGS CUSTOMERS OUTPUT\n", argv[0]);
		return 1;
	}
	/* Adding up before the join leaves one record for each address to be moved, not one for each line. */
	quern_set *requests = quern_flat_map(quern_text(job, argv[1]), request, NULL);
	quern_set *by_address = quern_reduce_by_key(requests, add, NULL);
	quern_set *customers = quern_map(quern_text(job, argv[2]), customer, NULL);
	quern_set *named = quern_left_outer_join(by_address, customers, by_name, NULL);
	quern_set *totals = quern_sort_by_key(quern_reduce_by_key(named, add, NULL), QUERN_ASCENDING);

	return quern_save_text(quern_map_pairs(totals, as_text, NULL), argv[3]);
}
