/* driver.c: the driver's side of the core: what it says about stages and map outputs, and the results that go
 * to it.
 *
 * Ordering guarantees: Hello is the first message of every link. Needs that were not answered and data that
 * was not taken are sent again on a new link, and so are the results that an earlier link may have lost with
 * the sockets' buffers: the driver knows attempts by name and takes each result once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

static int send(struct exec_plan *plan, const Quern__ToDriver *m)
{
	return plan_message(plan, EXEC_DO_LINK, &m->base);
}

/* ---- The link ---- */

int driver_setup(struct exec *x, const ProtobufCBinaryData *data, struct exec_plan *plan)
{
	x->setup = quern__executor_data__unpack(NULL, data->len, data->data);
	if (x->setup == NULL || x->setup->driver_port > UINT16_MAX || x->setup->serve_port > UINT16_MAX ||
		x->setup->secret.len != 32) {
		x->ended = true;
		return plan_text(
			plan, EXEC_DO_EXIT, 1, "what the framework says about this executor makes no sense");
	}
	int r = plan_add(plan, (struct exec_action){ .kind = EXEC_DO_SETUP, .setup = x->setup });
	if (r == 0)
		r = persist_setup(x);
	if (r < 0)
		return r;
	x->link = LINK_TRYING;
	x->link_lost_ms = x->now_ms;
	x->link_backoff_ms = RECONNECT_MIN_MS;
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_CONNECT, .setup = x->setup });
}

static int say_hello(const struct exec *x, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Hello hello = QUERN__TO_DRIVER__HELLO__INIT;

	hello.shuffle_port = x->config.shuffle_port;
	hello.directory = x->shuffle_dir;
	hello.machine = x->machine;
	hello.address = x->address;
	m.hello = &hello;
	return send(plan, &m);
}

static int send_again(struct exec *x, struct exec_plan *plan)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->history.n; i++) {
		struct exec_action a = { .kind = EXEC_DO_LINK, .len = x->history.at[i].len };

		a.data = malloc(a.len);
		if (a.data == NULL)
			return -ENOMEM;
		memcpy(a.data, x->history.at[i].data, a.len);
		r = plan_add(plan, a);
	}
	for (const struct attempt *a = x->attempts; r == 0 && a != NULL; a = a->hh.next)
		if (a->state == ATTEMPT_DELIVERING)
			r = driver_data(x, a->result, plan);
	return r;
}

int driver_up(struct exec *x, struct exec_plan *plan)
{
	x->link = LINK_IS_UP;
	x->link_backoff_ms = RECONNECT_MIN_MS;
	for (struct stage_info *s = x->stages; s != NULL; s = s->hh.next)
		s->asked = false;
	for (struct outputs_info *o = x->outputs; o != NULL; o = o->hh.next)
		o->asked = 0;
	int r = say_hello(x, plan);
	if (r == 0)
		r = send_again(x, plan);
	if (r == 0)
		r = broadcast_link_up(x, plan);
	if (r == 0)
		r = attempt_advance_all(x, plan); /* asks for what was not answered */
	return r < 0 ? r : agent_link_up(x, plan);
}

int driver_down(struct exec *x, const char *why, struct exec_plan *plan)
{
	if (x->link == LINK_IS_UP)
		x->link_lost_ms = x->now_ms;
	x->link = LINK_WAITING;
	x->link_retry_ms = x->now_ms + x->link_backoff_ms;
	x->link_backoff_ms =
		x->link_backoff_ms > RECONNECT_MAX_MS / 2 ? RECONNECT_MAX_MS : x->link_backoff_ms * 2;
	return plan_text(plan, EXEC_DO_LOG, 0, "no link to the driver: %s", why);
}

int driver_tick(struct exec *x, struct exec_plan *plan)
{
	if (x->link != LINK_WAITING || x->link_retry_ms > x->now_ms)
		return 0;
	x->link = LINK_TRYING;
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_CONNECT, .setup = x->setup });
}

uint64_t driver_next_ms(const struct exec *x)
{
	if (x->link == LINK_IS_UP && x->outbox.n > 0)
		return x->outbox_ms + FLUSH_MS;
	if (x->link == LINK_NONE || x->link == LINK_IS_UP)
		return UINT64_MAX;
	uint64_t end = x->link_lost_ms + x->config.link_grace_ms;
	return x->link == LINK_WAITING && x->link_retry_ms < end ? x->link_retry_ms : end;
}

/* ---- Stages and map outputs ---- */

static void forget_stage(struct exec *x, struct stage_info *s)
{
	HASH_DELETE(hh, x->stages, s);
	if (s->stage != NULL)
		quern__stage__free_unpacked(s->stage, NULL);
	free(s);
}

static void forget_outputs(struct exec *x, struct outputs_info *o)
{
	HASH_DELETE(hh, x->outputs, o);
	if (o->outputs != NULL)
		quern__outputs__free_unpacked(o->outputs, NULL);
	free(o);
}

static int need(const struct exec *x, const Quern__ToDriver__Need *what, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need n = *what;

	m.need = &n;
	return x->link == LINK_IS_UP ? send(plan, &m) : 0;
}

/* The entry of a stage, made if it is not there. NULL: no memory. */
static struct stage_info *stage_entry(struct exec *x, uint32_t id)
{
	struct stage_info *s;

	HASH_FIND(hh, x->stages, &id, sizeof(id), s);
	if (s != NULL)
		return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->id = id;
	struct stage_info *added = s;
	HASH_ADD(hh, x->stages, id, sizeof(s->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

/* Only at the beginning of a step: what a plan points at stays until the next one. */
static void forget_old_stages(struct exec *x)
{
	struct stage_info *s, *next;

	HASH_ITER (hh, x->stages, s, next) {
		if (HASH_COUNT(x->stages) > STAGES_MAX && s->stage != NULL)
			forget_stage(x, s);
	}
}

static struct outputs_info *outputs_entry(struct exec *x, uint32_t shuffle)
{
	struct outputs_info *o;

	HASH_FIND(hh, x->outputs, &shuffle, sizeof(shuffle), o);
	if (o != NULL)
		return o;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->shuffle = shuffle;
	struct outputs_info *added = o;
	HASH_ADD(hh, x->outputs, shuffle, sizeof(o->shuffle), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(o);
		return NULL;
	}
	return o;
}

int driver_stage(struct exec *x, uint32_t id, const Quern__Stage **ret, struct exec_plan *plan)
{
	Quern__ToDriver__Need n = QUERN__TO_DRIVER__NEED__INIT;
	struct stage_info *s = stage_entry(x, id);

	if (s == NULL)
		return -ENOMEM;
	*ret = s->stage;
	if (s->stage != NULL || s->asked || x->link != LINK_IS_UP)
		return 0;
	s->asked = true;
	n.has_stage = 1;
	n.stage = id;
	return need(x, &n, plan);
}

int driver_outputs(struct exec *x, uint32_t shuffle, uint32_t version, const Quern__Outputs **ret,
	struct exec_plan *plan)
{
	Quern__ToDriver__Need n = QUERN__TO_DRIVER__NEED__INIT;
	struct outputs_info *o = outputs_entry(x, shuffle);

	if (o == NULL)
		return -ENOMEM;
	*ret = o->outputs != NULL && o->outputs->version >= version ? o->outputs : NULL;
	uint32_t ask = version > 0 ? version : 1; /* `asked` 0 is "not asked" */
	if (*ret != NULL || o->asked >= ask || x->link != LINK_IS_UP)
		return 0;
	o->asked = ask;
	n.has_shuffle = 1;
	n.shuffle = shuffle;
	n.has_version = 1;
	n.version = version;
	return need(x, &n, plan);
}

static int on_stage(struct exec *x, const Quern__Stage *stage)
{
	struct stage_info *s = stage_entry(x, stage->id);

	if (s == NULL)
		return -ENOMEM;
	Quern__Stage *copy = message_dup(&stage->base);
	if (copy == NULL)
		return -ENOMEM;
	if (s->stage != NULL)
		quern__stage__free_unpacked(s->stage, NULL);
	s->stage = copy;
	return 0;
}

static void forget_hdfs(struct exec *x)
{
	if (x->hdfs.data != NULL)
		explicit_bzero(x->hdfs.data, x->hdfs.len);
	free(x->hdfs.data);
	x->hdfs = (ProtobufCBinaryData){ 0 };
}

static int on_hdfs(struct exec *x, const ProtobufCBinaryData *hdfs)
{
	uint8_t *copy = malloc(hdfs->len > 0 ? hdfs->len : 1);

	if (copy == NULL)
		return -ENOMEM;
	if (hdfs->len > 0)
		memcpy(copy, hdfs->data, hdfs->len);
	forget_hdfs(x);
	x->hdfs = (ProtobufCBinaryData){ .data = copy, .len = hdfs->len };
	return 0;
}

static int on_outputs(struct exec *x, const Quern__Outputs *outputs)
{
	struct outputs_info *o = outputs_entry(x, outputs->shuffle);

	if (o == NULL)
		return -ENOMEM;
	if (o->outputs != NULL && o->outputs->version >= outputs->version)
		return 0;
	Quern__Outputs *copy = message_dup(&outputs->base);
	if (copy == NULL)
		return -ENOMEM;
	if (o->outputs != NULL)
		quern__outputs__free_unpacked(o->outputs, NULL);
	o->outputs = copy;
	return 0;
}

/* ---- What the driver says ---- */

static int on_drop(struct exec *x, uint32_t shuffle, struct exec_plan *plan)
{
	struct outputs_info *o;

	HASH_FIND(hh, x->outputs, &shuffle, sizeof(shuffle), o);
	if (o != NULL)
		forget_outputs(x, o);
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_DROP, .n = shuffle });
}

static struct exec_name name_of(const Quern__ToExecutor__TaskName *n)
{
	return (struct exec_name){ n->stage, n->partition, n->attempt };
}

/* An attempt that is not known here, since the word of it was lost, is as good as killed: the driver waits
 * for an answer. One that has ended has been answered before, and this one is not minded. */
static int answer_unknown(struct exec *x, const struct exec_name *name)
{
	Quern__TaskResult *r = malloc(sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	quern__task_result__init(r);
	r->stage = name->stage;
	r->partition = name->partition;
	r->attempt = name->attempt;
	r->state = QUERN__TASK_RESULT__STATE__KILLED;
	return driver_result(x, r);
}

static int on_kill(struct exec *x, const struct exec_name *name, struct exec_plan *plan)
{
	struct attempt *a = attempt_find(x, name);

	if (a == NULL)
		return answer_unknown(x, name);
	return a->mesos != NULL ? 0 : attempt_kill(x, a, plan);
}

int driver_message(struct exec *x, const Quern__ToExecutor *m, struct exec_plan *plan)
{
	int r = 0;

	forget_old_stages(x);
	for (size_t i = 0; r == 0 && i < m->n_drop_shuffles; i++)
		r = on_drop(x, m->drop_shuffles[i], plan);
	for (size_t i = 0; r == 0 && i < m->n_drop_caches; i++)
		r = persist_drop(x, m->drop_caches[i], plan);
	if (r == 0 && m->broadcasts != NULL)
		r = broadcast_table(x, m->broadcasts, plan);
	for (size_t i = 0; r == 0 && i < m->n_fetch; i++)
		r = broadcast_fetch(x, m->fetch[i], plan);
	if (r == 0 && m->stage != NULL)
		r = on_stage(x, m->stage->stage);
	if (r == 0 && m->stage != NULL && m->stage->has_hdfs)
		r = on_hdfs(x, &m->stage->hdfs);
	if (r == 0 && m->outputs != NULL)
		r = on_outputs(x, m->outputs);
	for (size_t i = 0; r == 0 && i < m->n_tasks; i++)
		r = attempt_add(x, m->tasks[i], NULL, plan);
	for (size_t i = 0; r == 0 && i < m->n_end_leases; i++)
		r = agent_end_lease(x, m->end_leases[i], plan);
	for (size_t i = 0; r == 0 && i < m->n_kill; i++) {
		const struct exec_name name = name_of(m->kill[i]);
		r = on_kill(x, &name, plan);
	}
	if (r == 0 && m->data_taken != NULL) {
		const struct exec_name name = name_of(m->data_taken);
		r = attempt_data_taken(x, &name, plan);
	}
	if (r == 0 && m->has_leave && m->leave)
		r = core_leave(x, plan);
	if (r < 0 || x->ended)
		return r;
	return m->stage != NULL || m->outputs != NULL || m->broadcasts != NULL ? attempt_advance_all(x, plan)
									       : attempt_dispatch(x, plan);
}

/* ---- Results ---- */

int driver_result(struct exec *x, Quern__TaskResult *result)
{
	if (x->outbox.n == 0)
		x->outbox_ms = x->now_ms;
	if (vec_push(&x->outbox, result) == 0)
		return 0;
	quern__task_result__free_unpacked(result, NULL);
	return -ENOMEM;
}

int driver_lease(char *id, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;

	m.n_leases = 1;
	m.leases = &id;
	return send(plan, &m);
}

int driver_data(struct exec *x, const Quern__TaskResult *result, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Data data = QUERN__TO_DRIVER__DATA__INIT;

	data.stage = result->stage;
	data.partition = result->partition;
	data.attempt = result->attempt;
	data.data = result->data;
	data.tally = result->tally;
	m.data = &data;
	return x->link == LINK_IS_UP ? send(plan, &m) : 0;
}

static void forget_history(struct exec *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		x->history_bytes -= x->history.at[i].len;
		free(x->history.at[i].data);
	}
	if (n == 0)
		return;
	memmove(x->history.at, x->history.at + n, (x->history.n - n) * sizeof(x->history.at[0]));
	x->history.n -= n;
}

/* Remembers a frame that leaves, and forgets the oldest beyond what sockets can hold. */
static int remember(struct exec *x, const Quern__ToDriver *m)
{
	struct sent_result s = { .len = quern__to_driver__get_packed_size(m) };

	s.data = malloc(s.len);
	if (s.data == NULL)
		return -ENOMEM;
	(void)quern__to_driver__pack(m, s.data);
	if (vec_push(&x->history, s) < 0) {
		free(s.data);
		return -ENOMEM;
	}
	x->history_bytes += s.len;
	size_t old = 0, bytes = x->history_bytes;
	while (old + 1 < x->history.n && bytes > HISTORY_MAX)
		bytes -= x->history.at[old++].len;
	/* By halves, so that a long job does not move the array each time. */
	if (old > x->history.n / 2 || x->history_bytes > (size_t)2 * HISTORY_MAX)
		forget_history(x, old);
	return 0;
}

/* How many of the results from `first` on fit one frame: one at least. */
static size_t batch(const struct exec *x, size_t first)
{
	size_t bytes = 0, n = 0;

	while (first + n < x->outbox.n) {
		bytes += quern__task_result__get_packed_size(x->outbox.at[first + n]);
		if (n > 0 && bytes > BATCH_MAX)
			break;
		n++;
	}
	return n;
}

bool driver_flush_due(const struct exec *x)
{
	return x->outbox.n > 0 && x->link == LINK_IS_UP &&
	       (x->outbox.n >= x->queued || x->outbox_ms + FLUSH_MS <= x->now_ms);
}

int driver_flush(struct exec *x, struct exec_plan *plan)
{
	size_t n, sent = 0;
	int r = 0;

	if (x->link != LINK_IS_UP)
		return 0;
	while (r == 0 && sent < x->outbox.n) {
		Quern__ToDriver m = QUERN__TO_DRIVER__INIT;

		n = batch(x, sent);
		m.n_results = n;
		m.results = x->outbox.at + sent;
		r = send(plan, &m);
		if (r == 0)
			r = remember(x, &m);
		if (r == 0)
			sent += n;
	}
	for (size_t i = 0; i < sent; i++)
		quern__task_result__free_unpacked(x->outbox.at[i], NULL);
	if (sent > 0)
		memmove(x->outbox.at, x->outbox.at + sent, (x->outbox.n - sent) * sizeof(x->outbox.at[0]));
	x->outbox.n -= sent;
	return r;
}

void driver_deinit(struct exec *x)
{
	struct stage_info *s, *next;
	struct outputs_info *o, *next_outputs;

	HASH_ITER (hh, x->stages, s, next) {
		forget_stage(x, s);
	}
	HASH_ITER (hh, x->outputs, o, next_outputs) {
		forget_outputs(x, o);
	}
	for (size_t i = 0; i < x->outbox.n; i++)
		quern__task_result__free_unpacked(x->outbox.at[i], NULL);
	vec_deinit(&x->outbox);
	forget_history(x, x->history.n);
	vec_deinit(&x->history);
	forget_hdfs(x);
	if (x->setup != NULL)
		quern__executor_data__free_unpacked(x->setup, NULL);
}
