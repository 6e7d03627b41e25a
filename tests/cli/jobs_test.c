/* Jobs out of what a master says of its frameworks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/jobs.h"
#include "mesos/codec.h"

/* In JSON, as a master would write it. */
static const char answer[] =
	"{\"type\":\"GET_FRAMEWORKS\",\"get_frameworks\":{\"frameworks\":["
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"old\",\"id\":{\"value\":\"m-0001\"},\"hostname\":"
	"\"h\","
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"fine\"},"
	"{\"key\":\"quern.agent\",\"value\":\"1.2.3.4:5051\"},{\"key\":\"quern.sandbox\",\"value\":\"/s\"},"
	"{\"key\":\"quern.log\",\"value\":\"7,9\"}]}},"
	"\"active\":true,\"connected\":true,\"recovered\":false,\"registered_time\":{\"nanoseconds\":"
	"1000000000},"
	"\"allocated_resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1.5},\"role\":"
	"\"*\"},"
	"{\"name\":\"mem\",\"type\":\"SCALAR\",\"scalar\":{\"value\":640},\"role\":\"*\"}]},"
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"another's\",\"id\":{\"value\":\"m-0002\"}},"
	"\"active\":true,\"connected\":true,\"recovered\":false},"
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"new\",\"id\":{\"value\":\"m-0003\"},"
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"coarse\"},"
	"{\"key\":\"quern.agent\",\"value\":\"1.2.3.4:5051\"},{\"key\":\"quern.log\",\"value\":\"7,\"}]}},"
	"\"active\":false,\"connected\":false,\"recovered\":false,\"registered_time\":{\"nanoseconds\":"
	"2000000000}}],"
	"\"completed_frameworks\":["
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"done\",\"id\":{\"value\":\"m-0004\"},"
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"fine\"},{\"key\":\"quern.status\","
	"\"value\":\"0\"}]}},"
	"\"active\":false,\"connected\":false,\"recovered\":false},"
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"failed\",\"id\":{\"value\":\"m-0005\"},"
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"fine\"},{\"key\":\"quern.status\","
	"\"value\":\"3\"}]}},"
	"\"active\":false,\"connected\":false,\"recovered\":false},"
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"interrupted\",\"id\":{\"value\":\"m-0006\"},"
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"fine\"},{\"key\":\"quern.status\","
	"\"value\":\"130\"}]}},"
	"\"active\":false,\"connected\":false,\"recovered\":false},"
	"{\"framework_info\":{\"user\":\"u\",\"name\":\"killed\",\"id\":{\"value\":\"x-0006\"},"
	"\"labels\":{\"labels\":[{\"key\":\"quern.mode\",\"value\":\"fine\"},{\"key\":\"quern.status\","
	"\"value\":\"1x\"}]}},"
	"\"active\":false,\"connected\":false,\"recovered\":false}]}}";

struct listed {
	ProtobufCMessage *message;
	job_list jobs;
};

static void list(struct listed *l)
{
	struct err err = { "" };

	int r = mesos_decode(&mesos__v1__master__response__descriptor, MESOS_JSON, answer, strlen(answer),
		&l->message, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	assert_int_equal(jobs_list((const Mesos__V1__Master__Response *)l->message, &l->jobs), 0);
}

static void unlist(struct listed *l)
{
	protobuf_c_message_free_unpacked(l->message, NULL);
	vec_deinit(&l->jobs);
}

static const struct job *find(const struct listed *l, const char *id)
{
	const struct job *j = NULL;
	struct err err = { "" };

	if (jobs_find(&l->jobs, id, &j, &err) < 0)
		fail_msg("%s", err.text);
	return j;
}

static void ours_are_listed_the_latest_first(void **state)
{
	static const char *const order[] = { "m-0003", "m-0001" };
	struct listed l;
	(void)state;

	list(&l);
	assert_int_equal(l.jobs.n, 6);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(l.jobs.at[i].id, order[i]);
	for (size_t i = 2; i < 6; i++)
		assert_true(job_is_over(&l.jobs.at[i]));
	unlist(&l);
}

static void what_is_known_of_each(void **state)
{
	struct listed l;
	(void)state;

	list(&l);
	const struct job *j = find(&l, "m-0001");
	assert_string_equal(j->name, "old");
	assert_string_equal(j->mode, "fine");
	assert_string_equal(j->host, "h");
	assert_string_equal(j->agent, "1.2.3.4:5051");
	assert_string_equal(j->sandbox, "/s");
	assert_int_equal(j->log_from[0], 7);
	assert_int_equal(j->log_from[1], 9);
	assert_int_equal(j->state, JOB_RUNNING);
	assert_int_equal(j->started_ms, 1000);
	assert_int_equal(j->cpus_milli, 1500);
	assert_int_equal(j->mem_milli, 640000);
	j = find(&l, "m-0003");
	assert_int_equal(j->state, JOB_AWAY);
	assert_null(j->agent); /* half of it is none of it */
	assert_string_equal(j->host, "");
	assert_int_equal(j->log_from[0], 0);
	unlist(&l);
}

static void how_they_ended(void **state)
{
	static const struct {
		const char *id;
		enum job_state state;
		int status;
	} ends[] = { { "m-0004", JOB_DONE, 0 }, { "m-0005", JOB_FAILED, 3 },
		{ "m-0006", JOB_INTERRUPTED, 130 }, { "x-0006", JOB_KILLED, 130 } };
	struct listed l;
	(void)state;

	list(&l);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct job *j = find(&l, ends[i].id);

		assert_int_equal(j->state, ends[i].state);
		assert_int_equal(j->status, ends[i].status);
	}
	unlist(&l);
}

static void an_id_may_be_its_end(void **state)
{
	const struct job *j = NULL;
	struct err err = { "" };
	struct listed l;
	(void)state;

	list(&l);
	assert_string_equal(find(&l, "0005")->id, "m-0005");
	assert_int_equal(jobs_find(&l.jobs, "0006", &j, &err), -EINVAL);
	assert_non_null(strstr(err.text, "m-0006"));
	assert_int_equal(jobs_find(&l.jobs, "005", &j, &err), -ENOENT);
	assert_int_equal(jobs_find(&l.jobs, "", &j, &err), -ENOENT);
	assert_int_equal(jobs_find(&l.jobs, "m-0002", &j, &err), -ENOENT); /* another's */
	assert_null(j);
	unlist(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_listed_the_latest_first),
		cmocka_unit_test(what_is_known_of_each),
		cmocka_unit_test(how_they_ended),
		cmocka_unit_test(an_id_may_be_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
