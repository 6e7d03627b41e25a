/* The whole executor: the program itself, with an agent and a driver that are this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/link.h"
#include "job/link.pb-c.h"
#include "mesos/executor.pb-c.h"
#include "mesos/recordio.h"
#include "tests/executor/kit.h"
#include "tests/one_branch.h"

enum { CALLS_MAX = 64, PATIENCE_S = 30 };

struct bench {
	char sandbox[KIT_PATH], input[KIT_PATH];
	struct code *code;
	struct event_base *loop;

	/* The agent: */
	struct evhttp *http;
	uint16_t port;
	struct evhttp_request *stream;        /* of the subscription; NULL: none */
	struct evhttp_connection *connection; /* its */
	struct evhttp_request *broken;        /* a stream whose connection is gone: ours to free */
	bool acknowledges;
	Mesos__V1__Executor__Call *calls[CALLS_MAX];
	size_t n_calls;

	/* The driver: */
	struct link_server *server;
	struct link *link;
	Quern__ToDriver *messages[CALLS_MAX];
	size_t n_messages;

	pid_t pid;
	int status;
	bool late;
};

static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";

/* ---- Time ---- */

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct bench *b = arg;

	(void)fd, (void)what;
	b->late = true;
}

/* Runs the loop until `condition`. */
#define WAIT(b, condition)                                                                                   \
	do {                                                                                                 \
		const struct timeval patience_ = { .tv_sec = PATIENCE_S };                                   \
		struct event *late_ = event_new((b)->loop, -1, 0, on_late, (b));                             \
		assert_int_equal(event_add(late_, &patience_), 0);                                           \
		while (!(condition)) {                                                                       \
			if ((b)->late)                                                                       \
				fail_msg("%s does not come about", #condition);                              \
			(void)event_base_loop((b)->loop, EVLOOP_ONCE);                                       \
		}                                                                                            \
		event_free(late_);                                                                           \
	} while (0)

/* ---- The agent ---- */

static void send_event(struct bench *b, Mesos__V1__Executor__Event *e, Mesos__V1__Executor__Event__Type type)
{
	auto_buf struct buf record = BUF_INIT(1 << 20);

	assert_non_null(b->stream);
	e->has_type = true;
	e->type = type;
	size_t len = mesos__v1__executor__event__get_packed_size(e);
	auto_free uint8_t *bytes = malloc(len + 1);
	assert_non_null(bytes);
	(void)mesos__v1__executor__event__pack(e, bytes);
	assert_int_equal(recordio_encode(&record, bytes, len), 0);
	struct evbuffer *chunk = evbuffer_new();
	(void)evbuffer_add(chunk, record.data, record.len);
	evhttp_send_reply_chunk(b->stream, chunk);
	evbuffer_free(chunk);
}

static void send_subscribed(struct bench *b)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Subscribed s = MESOS__V1__EXECUTOR__EVENT__SUBSCRIBED__INIT;
	Mesos__V1__ExecutorInfo info = MESOS__V1__EXECUTOR_INFO__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkInfo framework = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__AgentInfo agent = MESOS__V1__AGENT_INFO__INIT;
	Quern__ExecutorData data = QUERN__EXECUTOR_DATA__INIT;
	const uint8_t *id;
	uint8_t bytes[512];

	data.driver_host = (char *)(uintptr_t) "127.0.0.1";
	data.driver_port = link_server_port(b->server);
	data.secret = (ProtobufCBinaryData){ LINK_SECRET, (uint8_t *)(uintptr_t)secret };
	data.job = (char *)(uintptr_t) "job.so";
	data.build_id.len = code_build_id(b->code, &id);
	data.build_id.data = (uint8_t *)(uintptr_t)id;
	executor_id.value = (char *)(uintptr_t) "e1";
	info.executor_id = &executor_id;
	framework.user = framework.name = agent.hostname = (char *)(uintptr_t) "x";
	s.framework_info = &framework;
	s.agent_info = &agent;
	info.has_data = true;
	info.data.len = quern__executor_data__pack(&data, bytes);
	info.data.data = bytes;
	s.executor_info = &info;
	e.subscribed = &s;
	send_event(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SUBSCRIBED);
}

static void send_acknowledged(struct bench *b, const Mesos__V1__TaskStatus *status)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Acknowledged a = MESOS__V1__EXECUTOR__EVENT__ACKNOWLEDGED__INIT;

	a.task_id = status->task_id;
	a.uuid = status->uuid;
	e.acknowledged = &a;
	send_event(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__ACKNOWLEDGED);
}

static void on_stream_closed(struct evhttp_connection *connection, void *arg)
{
	struct bench *b = arg;

	if (connection != b->connection)
		return;
	b->broken = b->stream;
	b->stream = NULL;
	b->connection = NULL;
}

/* The agent breaks off. */
static void end_stream(struct bench *b)
{
	evhttp_send_reply_end(b->stream);
	b->stream = NULL;
	b->connection = NULL;
}

static void on_call(struct evhttp_request *request, void *arg)
{
	struct bench *b = arg;
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	Mesos__V1__Executor__Call *call =
		mesos__v1__executor__call__unpack(NULL, len, evbuffer_pullup(body, -1));

	assert_non_null(call);
	assert_true(b->n_calls < CALLS_MAX);
	assert_string_equal(call->executor_id->value, "e1");
	b->calls[b->n_calls++] = call;
	if (call->type == MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE) {
		(void)evhttp_add_header(
			evhttp_request_get_output_headers(request), "Content-Type", "application/x-protobuf");
		b->stream = request;
		b->connection = evhttp_request_get_connection(request);
		evhttp_connection_set_closecb(b->connection, on_stream_closed, b);
		evhttp_send_reply_start(request, 200, "OK");
		send_subscribed(b);
		return;
	}
	evhttp_send_reply(request, 202, "Accepted", NULL);
	if (b->acknowledges && b->stream != NULL)
		send_acknowledged(b, call->update->status);
}

/* The latest update of a task, or NULL. */
static const Mesos__V1__TaskStatus *update_of(const struct bench *b, const char *id)
{
	for (size_t i = b->n_calls; i-- > 0;)
		if (b->calls[i]->update != NULL &&
			strcmp(b->calls[i]->update->status->task_id->value, id) == 0)
			return b->calls[i]->update->status;
	return NULL;
}

static bool is_in_state(const struct bench *b, const char *id, Mesos__V1__TaskState state)
{
	const Mesos__V1__TaskStatus *s = update_of(b, id);

	return s != NULL && s->state == state;
}

static size_t subscriptions(const struct bench *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_calls; i++)
		n += b->calls[i]->subscribe != NULL;
	return n;
}

static void launch(struct bench *b, const char *id, const Quern__TaskData *data)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;
	Mesos__V1__Executor__Event__Launch l = MESOS__V1__EXECUTOR__EVENT__LAUNCH__INIT;
	Mesos__V1__TaskInfo t = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	uint8_t bytes[1024];

	task_id.value = t.name = (char *)(uintptr_t)id;
	agent_id.value = (char *)(uintptr_t) "a1";
	t.task_id = &task_id;
	t.agent_id = &agent_id;
	t.has_data = true;
	t.data.len = quern__task_data__pack(data, bytes);
	t.data.data = bytes;
	l.task = &t;
	e.launch = &l;
	send_event(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__LAUNCH);
}

/* ---- The driver ---- */

static void tell(struct bench *b, const Quern__ToExecutor *m)
{
	size_t len = quern__to_executor__get_packed_size(m);
	auto_free uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	(void)quern__to_executor__pack(m, bytes);
	assert_int_equal(link_send(b->link, bytes, len), 0);
}

/* Lines of the input through misbehave(), to the driver. */
static void tell_stage(struct bench *b, uint32_t id)
{
	Quern__Stage stage = QUERN__STAGE__INIT;
	struct one_branch from;
	Quern__Sink sink = QUERN__SINK__INIT;
	Quern__Step step = QUERN__STEP__INIT, *steps[1] = { &step };
	Quern__Function function = kit_function(b->code, "misbehave");
	Quern__ToExecutor__StageInfo info = QUERN__TO_EXECUTOR__STAGE_INFO__INIT;
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	stage.id = id;
	one_branch_init(&from, &stage);
	stage.sink = &sink;
	from.branch.steps = steps;
	from.branch.n_steps = 1;
	step.kind = QUERN__STEP__KIND__FLAT_MAP;
	step.function = &function;
	sink.kind = QUERN__SINK__KIND__COLLECT;
	info.run = 1;
	info.stage = &stage;
	m.stage = &info;
	tell(b, &m);
}

static void on_up(void *arg, struct link *link, const char *name)
{
	struct bench *b = arg;

	assert_string_equal(name, "e1");
	b->link = link;
}

static void on_frame(void *arg, struct link *link, const void *data, size_t len)
{
	struct bench *b = arg;
	Quern__ToDriver *m = quern__to_driver__unpack(NULL, len, data);

	(void)link;
	assert_non_null(m);
	assert_true(b->n_messages < CALLS_MAX);
	b->messages[b->n_messages++] = m;
	if (m->need != NULL && m->need->has_stage)
		tell_stage(b, m->need->stage);
}

static void on_down(void *arg, struct link *link, const char *why)
{
	struct bench *b = arg;

	(void)link, (void)why;
	b->link = NULL;
}

static const struct link_ops driver_ops = { .up = on_up, .frame = on_frame, .down = on_down };

/* The result of a partition that came over the link, or NULL. */
static const Quern__TaskResult *result_of(const struct bench *b, uint32_t partition)
{
	for (size_t i = 0; i < b->n_messages; i++)
		for (size_t j = 0; j < b->messages[i]->n_results; j++)
			if (b->messages[i]->results[j]->partition == partition)
				return b->messages[i]->results[j];
	return NULL;
}

/* A number that a result's only record has as text. */
static int number_of(const Quern__TaskResult *r)
{
	size_t n;
	char text[32] = "";

	assert_int_equal(r->state, QUERN__TASK_RESULT__STATE__DONE);
	struct kit_record *all = kit_sorted(r->data.data, r->data.len, &n);
	assert_int_equal(n, 1);
	assert_true(all[0].value.len < sizeof(text));
	memcpy(text, all[0].value.ptr, all[0].value.len);
	free(all);
	return atoi(text);
}

/* ---- Beginning and end ---- */

static void start_agent(struct bench *b)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);

	b->http = evhttp_new(b->loop);
	evhttp_set_gencb(b->http, on_call, b);
	struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(b->http, "127.0.0.1", 0);
	assert_non_null(socket);
	assert_int_equal(
		getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)(void *)&a, &len), 0);
	b->port = ntohs(a.sin_port);
}

static void start_executor(struct bench *b, bool checkpoint)
{
	char endpoint[64], sandbox[KIT_PATH + 32];
	char *const argv[] = { (char *)(uintptr_t) "quern-executor", NULL };
	char *const env[] = { endpoint, sandbox, (char *)(uintptr_t) "MESOS_FRAMEWORK_ID=f1",
		(char *)(uintptr_t) "MESOS_EXECUTOR_ID=e1",
		(char *)(uintptr_t) "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=20secs",
		(char *)(uintptr_t) "MESOS_RECOVERY_TIMEOUT=15mins",
		(char *)(uintptr_t)(checkpoint ? "MESOS_CHECKPOINT=1" : "MESOS_CHECKPOINT=0"), NULL };

	(void)snprintf(endpoint, sizeof(endpoint), "MESOS_AGENT_ENDPOINT=127.0.0.1:%u", b->port);
	(void)snprintf(sandbox, sizeof(sandbox), "MESOS_SANDBOX=%s", b->sandbox);
	assert_int_equal(posix_spawn(&b->pid, getenv("QUERN_EXECUTOR"), NULL, NULL, argv, env), 0);
}

static void bench_open(struct bench *b, bool checkpoint)
{
	const struct link_config config = { .secret = secret, .ops = &driver_ops, .arg = b };
	struct err err = { "" };

	*b = (struct bench){ .acknowledges = true };
	kit_folder(b->sandbox);
	kit_folder(b->input);
	b->code = kit_load_job();
	assert_int_equal(symlink(getenv("QUERN_TEST_JOB"), kit_path(b->sandbox, "job.so")), 0);
	b->loop = event_base_new();
	assert_non_null(b->loop);
	start_agent(b);
	if (link_listen(b->loop, "127.0.0.1", 0, &config, &b->server, &err) < 0)
		fail_msg("%s", err.text);
	start_executor(b, checkpoint);
	WAIT(b, b->stream != NULL && b->link != NULL);
}

static bool has_ended(struct bench *b)
{
	return b->status != 0 || waitpid(b->pid, &b->status, WNOHANG) == b->pid;
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg; /* it woke the loop */
}

static void wait_end(struct bench *b)
{
	struct event *e = evsignal_new(b->loop, SIGCHLD, on_child, NULL);

	assert_int_equal(event_add(e, NULL), 0);
	WAIT(b, has_ended(b));
	event_free(e);
}

/* The executor has ended. */
static void bench_close(struct bench *b)
{
	WAIT(b, b->stream == NULL);
	if (b->broken != NULL)
		evhttp_send_reply_end(b->broken);
	evhttp_free(b->http);
	b->server = link_server_free(b->server);
	(void)event_base_loop(b->loop, EVLOOP_NONBLOCK); /* what was left for later */
	event_base_free(b->loop);
	for (size_t i = 0; i < b->n_calls; i++)
		mesos__v1__executor__call__free_unpacked(b->calls[i], NULL);
	for (size_t i = 0; i < b->n_messages; i++)
		quern__to_driver__free_unpacked(b->messages[i], NULL);
	b->code = code_free(b->code);
	tree_remove(b->sandbox);
	tree_remove(b->input);
}

static void send_shutdown(struct bench *b)
{
	Mesos__V1__Executor__Event e = MESOS__V1__EXECUTOR__EVENT__INIT;

	send_event(b, &e, MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN);
	wait_end(b);
	assert_true(WIFEXITED(b->status));
	assert_int_equal(WEXITSTATUS(b->status), 0);
	assert_int_equal(kit_entries(b->sandbox), 1); /* the job, which was there before */
}

/* ---- Work ---- */

struct work {
	Quern__Task task;
	Quern__Split split;
	Quern__Extent extent;
	Quern__Extent *extents[1];
	char path[2 * KIT_PATH];
};

/* A task whose input is one line. */
static Quern__Task *make_task(struct bench *b, struct work *w, uint32_t partition, const char *line)
{
	quern__task__init(&w->task);
	quern__split__init(&w->split);
	quern__extent__init(&w->extent);
	(void)snprintf(w->path, sizeof(w->path), "%s/%u", b->input, partition);
	kit_write(w->path, line, strlen(line));
	w->task.stage = 1;
	w->task.partition = partition;
	w->task.split = &w->split;
	w->split.extents = w->extents;
	w->split.n_extents = 1;
	w->extents[0] = &w->extent;
	w->extent.path = w->path;
	w->extent.length = strlen(line);
	return &w->task;
}

static void launch_task(struct bench *b, uint32_t partition, const char *line)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	struct work w;
	char id[32];

	data.task = make_task(b, &w, partition, line);
	(void)snprintf(id, sizeof(id), "1.%u.0", partition);
	launch(b, id, &data);
}

static void launch_lease(struct bench *b, uint32_t slots)
{
	Quern__TaskData data = QUERN__TASK_DATA__INIT;
	Quern__Lease lease = QUERN__LEASE__INIT;

	lease.slots = slots;
	data.lease = &lease;
	launch(b, "lease", &data);
	WAIT(b, is_in_state(b, "lease", MESOS__V1__TASK_STATE__TASK_RUNNING));
}

static void give_task(struct bench *b, uint32_t partition, const char *line)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;
	struct work w;
	Quern__Task *list[1] = { make_task(b, &w, partition, line) };

	m.tasks = list;
	m.n_tasks = 1;
	tell(b, &m);
}

/* ---- Tests ---- */

static void a_task_of_mesos(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	launch_task(&b, 0, "hello");
	launch_task(&b, 1, "crash");
	WAIT(&b, is_in_state(&b, "1.0.0", MESOS__V1__TASK_STATE__TASK_FINISHED));
	WAIT(&b, is_in_state(&b, "1.1.0", MESOS__V1__TASK_STATE__TASK_FAILED));
	const Mesos__V1__TaskStatus *s = update_of(&b, "1.1.0");
	Quern__TaskResult *r = quern__task_result__unpack(NULL, s->data.len, s->data.data);
	assert_non_null(r);
	assert_non_null(strstr(r->error, "SIGSEGV"));
	assert_string_equal(r->stderr_tail, "about to crash");
	quern__task_result__free_unpacked(r, NULL);
	send_shutdown(&b);
	bench_close(&b);
}

static void tasks_of_a_lease(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	launch_lease(&b, 2);
	for (uint32_t i = 0; i < 10; i++)
		give_task(&b, i, i == 5 ? "exit" : "pid");
	for (uint32_t i = 0; i < 10; i++) {
		WAIT(&b, result_of(&b, i) != NULL);
		assert_int_equal(result_of(&b, i)->state == QUERN__TASK_RESULT__STATE__FAILED, i == 5);
	}
	send_shutdown(&b);
	bench_close(&b);
}

static void updates_are_kept_until_they_are_acknowledged(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, true);
	b.acknowledges = false;
	launch_task(&b, 0, "hello");
	WAIT(&b, is_in_state(&b, "1.0.0", MESOS__V1__TASK_STATE__TASK_FINISHED));
	const Mesos__V1__TaskStatus *first = update_of(&b, "1.0.0");
	end_stream(&b);
	WAIT(&b, subscriptions(&b) == 2);
	const Mesos__V1__Executor__Call__Subscribe *s = b.calls[b.n_calls - 1]->subscribe;
	assert_int_equal(s->n_unacknowledged_tasks, 1);
	assert_string_equal(s->unacknowledged_tasks[0]->task_id->value, "1.0.0");
	assert_int_equal(s->n_unacknowledged_updates, 1);
	const ProtobufCBinaryData *uuid = &s->unacknowledged_updates[0]->status->uuid;
	assert_int_equal(uuid->len, first->uuid.len);
	assert_memory_equal(uuid->data, first->uuid.data, uuid->len);

	send_acknowledged(&b, first);
	b.acknowledges = true;
	launch_task(&b, 1, "hello"); /* behind the acknowledgement */
	WAIT(&b, is_in_state(&b, "1.1.0", MESOS__V1__TASK_STATE__TASK_FINISHED));
	end_stream(&b);
	WAIT(&b, subscriptions(&b) == 3);
	s = b.calls[b.n_calls - 1]->subscribe;
	for (size_t i = 0; i < s->n_unacknowledged_updates; i++) /* the second's may not have come through */
		assert_string_equal(s->unacknowledged_updates[i]->status->task_id->value, "1.1.0");
	send_shutdown(&b);
	bench_close(&b);
}

static void shutdown_leaves_no_process_and_no_file(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	launch_lease(&b, 3);
	give_task(&b, 0, "hang");
	give_task(&b, 1, "child");
	WAIT(&b, result_of(&b, 1) != NULL);
	give_task(&b, 2, "pid");
	WAIT(&b, result_of(&b, 2) != NULL);
	struct kit_process child = kit_watch(number_of(result_of(&b, 1)));
	struct kit_process worker = kit_watch(number_of(result_of(&b, 2)));
	send_shutdown(&b);
	kit_expect_end(child);
	kit_expect_end(worker);
	assert_true(is_in_state(&b, "lease", MESOS__V1__TASK_STATE__TASK_KILLED));
	bench_close(&b);
}

static void a_killed_executor_takes_its_workers_along(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	launch_lease(&b, 2);
	give_task(&b, 0, "hang");
	give_task(&b, 1, "pid");
	WAIT(&b, result_of(&b, 1) != NULL);
	struct kit_process worker = kit_watch(number_of(result_of(&b, 1)));
	assert_int_equal(kill(b.pid, SIGKILL), 0);
	wait_end(&b);
	kit_expect_end(worker);
	bench_close(&b);
}

/* Without checkpointing an agent that is gone has given the executor up. */
static void a_lost_agent_is_the_end(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	launch_lease(&b, 1);
	give_task(&b, 0, "hang");
	end_stream(&b);
	wait_end(&b);
	assert_true(WIFEXITED(b.status));
	assert_int_equal(kit_entries(b.sandbox), 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_of_mesos),
		cmocka_unit_test(tasks_of_a_lease),
		cmocka_unit_test(updates_are_kept_until_they_are_acknowledged),
		cmocka_unit_test(shutdown_leaves_no_process_and_no_file),
		cmocka_unit_test(a_killed_executor_takes_its_workers_along),
		cmocka_unit_test(a_lost_agent_is_the_end),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
