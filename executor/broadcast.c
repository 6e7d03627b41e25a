/* broadcast.c: broadcasts in the core: what the driver says that there is, what of it is here, and what is
 * fetched.
 *
 * The driver's table says what there is. Whatever of it is not here is asked for at once; the driver names a
 * place to fetch it from when there is one that has time. A task waits until all of the table that it names
 * is here. What cannot be fetched is asked for again, up to DRIVER_FAILURES_MAX times in vain from the driver
 * itself: then the tasks that wait fail, and the next one begins anew. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

enum { DRIVER_FAILURES_MAX = 3 };

enum copy_state {
	COPY_MISSING, /* nothing was asked for on this link */
	COPY_ASKED,
	COPY_COMING,
	COPY_HERE
};

struct copy {
	uint32_t id;
	enum copy_state state;
	struct exec_fetch fetch; /* its texts are ours */
	uint32_t failures;       /* to fetch it from the driver */
	UT_hash_handle hh;
};

static struct copy *find(const struct exec *x, uint32_t id)
{
	struct copy *c;

	HASH_FIND(hh, x->copies, &id, sizeof(id), c);
	return c;
}

static void forget_place(struct copy *c)
{
	free((char *)(uintptr_t)c->fetch.executor_id);
	free((char *)(uintptr_t)c->fetch.address);
	c->fetch.executor_id = c->fetch.address = NULL;
}

static void forget(struct exec *x, struct copy *c)
{
	HASH_DELETE(hh, x->copies, c);
	forget_place(c);
	free(c);
}

/* ---- What the driver is told ---- */

/* `failed`: the place where it could not be had, "" the driver; NULL: none. */
static int say(
	const struct exec *x, struct copy *c, const char *failed, const char *error, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Copy copy = QUERN__TO_DRIVER__COPY__INIT, *list[] = { &copy };

	if (x->link != LINK_IS_UP)
		return 0;
	copy.broadcast = c->id;
	copy.here = c->state == COPY_HERE;
	copy.failed = (char *)(uintptr_t)failed;
	copy.error = (char *)(uintptr_t)error;
	m.n_copies = 1;
	m.copies = list;
	if (c->state == COPY_MISSING)
		c->state = COPY_ASKED;
	return plan_message(plan, EXEC_DO_LINK, &m.base);
}

int broadcast_link_up(struct exec *x, struct exec_plan *plan)
{
	int r = 0;

	x->broadcasts_asked = 0;
	for (struct copy *c = x->copies; r == 0 && c != NULL; c = c->hh.next)
		if (c->state != COPY_COMING) /* its end is said when it comes */
			r = say(x, c, NULL, NULL, plan);
	return r;
}

/* ---- What the driver says ---- */

static int add(struct exec *x, const Quern__Broadcast *b)
{
	struct copy *c = calloc(1, sizeof(*c)), *added = c;

	if (c == NULL)
		return -ENOMEM;
	c->id = b->id;
	c->fetch = (struct exec_fetch){ .length = b->length, .checksum = b->checksum };
	HASH_ADD(hh, x->copies, id, sizeof(c->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(c);
		return -ENOMEM;
	}
	return 0;
}

static bool lists(const Quern__Broadcasts *table, uint32_t id)
{
	for (size_t i = 0; i < table->n_list; i++)
		if (table->list[i]->id == id)
			return true;
	return false;
}

int broadcast_table(struct exec *x, const Quern__Broadcasts *table, struct exec_plan *plan)
{
	struct copy *c, *next;
	int r = 0;

	if (table->version <= x->broadcasts_version)
		return 0;
	x->broadcasts_version = table->version;
	HASH_ITER (hh, x->copies, c, next) {
		if (r < 0 || lists(table, c->id))
			continue;
		r = plan_add(plan, (struct exec_action){ .kind = EXEC_DO_FORGET, .n = c->id });
		forget(x, c);
	}
	for (size_t i = 0; r == 0 && i < table->n_list; i++)
		if (find(x, table->list[i]->id) == NULL)
			r = add(x, table->list[i]);
	for (c = x->copies; r == 0 && c != NULL; c = c->hh.next)
		if (c->state == COPY_MISSING)
			r = say(x, c, NULL, NULL, plan);
	return r;
}

static int dup_text(const char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from != NULL && *to == NULL ? -ENOMEM : 0;
}

int broadcast_fetch(struct exec *x, const Quern__ToExecutor__Fetch *fetch, struct exec_plan *plan)
{
	struct copy *c = find(x, fetch->broadcast);

	if (c == NULL || (c->state != COPY_ASKED && c->state != COPY_MISSING))
		return 0;
	forget_place(c);
	if (dup_text(&c->fetch.executor_id, fetch->executor_id) < 0 ||
		dup_text(&c->fetch.address, fetch->address) < 0)
		return -ENOMEM;
	c->fetch.port = fetch->port;
	c->state = COPY_COMING;
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_FETCH, .n = c->id, .fetch = &c->fetch });
}

/* ---- What became of it ---- */

int broadcast_fetched(struct exec *x, uint32_t id, bool here, const char *error, struct exec_plan *plan)
{
	struct copy *c = find(x, id);
	const char *from;
	int r;

	if (c == NULL || c->state != COPY_COMING)
		return 0;
	if (here) {
		c->state = COPY_HERE;
		r = say(x, c, NULL, NULL, plan);
		return r < 0 ? r : attempt_advance_all(x, plan);
	}
	from = c->fetch.executor_id != NULL ? c->fetch.executor_id : "";
	c->state = COPY_MISSING;
	c->failures += *from == '\0';
	if (c->failures < DRIVER_FAILURES_MAX)
		return say(x, c, from, error, plan);
	c->failures = 0; /* the next task to need it begins anew */
	return attempt_starve(x, error, plan);
}

int broadcast_ready(struct exec *x, const Quern__Task *task, bool *ret_ready, struct exec_plan *plan)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need need = QUERN__TO_DRIVER__NEED__INIT;
	int r = 0;

	*ret_ready = true;
	if (!task->has_broadcasts_version)
		return 0;
	if (x->broadcasts_version < task->broadcasts_version) {
		*ret_ready = false;
		if (x->broadcasts_asked >= task->broadcasts_version || x->link != LINK_IS_UP)
			return 0;
		x->broadcasts_asked = task->broadcasts_version;
		need.has_broadcasts = need.broadcasts = 1;
		m.need = &need;
		return plan_message(plan, EXEC_DO_LINK, &m.base);
	}
	for (struct copy *c = x->copies; r == 0 && c != NULL; c = c->hh.next) {
		*ret_ready = *ret_ready && c->state == COPY_HERE;
		if (c->state == COPY_MISSING)
			r = say(x, c, NULL, NULL, plan);
	}
	return r;
}

void broadcast_deinit(struct exec *x)
{
	struct copy *c, *next;

	HASH_ITER (hh, x->copies, c, next) {
		forget(x, c);
	}
}
