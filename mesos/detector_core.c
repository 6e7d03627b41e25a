#include "mesos/detector_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct detector_plan nothing = { DETECTOR_ASK_NOTHING, DETECTOR_TELL_NOTHING };

void detector_core_init(struct detector_core *core, const char *path, const char *hosts, uint64_t now_ms)
{
	*core = (struct detector_core){
		.path = path, .hosts = hosts, .retry_ms = UINT64_MAX, .reopen_ms = now_ms + DETECTOR_REOPEN_MS
	};
	(void)snprintf(core->why, sizeof(core->why), "no ZooKeeper answers at %s", hosts);
}

/* Nobody leads. What was told already is not told again. */
static enum detector_tell none(struct detector_core *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum detector_tell none(struct detector_core *c, const char *format, ...)
{
	char why[DETECTOR_WHY_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	bool told = c->endpoint[0] == '\0' && strcmp(why, c->why) == 0;
	memcpy(c->why, why, sizeof(why));
	c->endpoint[0] = c->leader[0] = '\0';
	return told ? DETECTOR_TELL_NOTHING : DETECTOR_TELL_NONE;
}

static struct detector_plan fail(struct detector_core *c, const char *why)
{
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	c->over = true;
	return (struct detector_plan){ .tell = DETECTOR_TELL_FAILED };
}

/* Whom ZooKeeper let in before it will let in again; else there is no use in asking. */
static struct detector_plan no_auth(struct detector_core *c, uint64_t now_ms)
{
	char why[DETECTOR_WHY_MAX];

	if (c->led) {
		c->retry_ms = now_ms + DETECTOR_RETRY_MS;
		return nothing;
	}
	(void)snprintf(why, sizeof(why),
		"ZooKeeper lets us not read %s: give zk://USER:PASSWORD@HOST... of somebody who may",
		c->path);
	return fail(c, why);
}

static struct detector_plan ask(struct detector_core *c, enum detector_ask what)
{
	c->busy = true;
	c->again = false;
	c->retry_ms = UINT64_MAX;
	return (struct detector_plan){ .ask = what };
}

static struct detector_plan open_anew(struct detector_core *c, uint64_t now_ms)
{
	c->connected = c->busy = c->again = false;
	c->leader[0] = '\0'; /* ZooKeeper may count anew: the same name may be another master */
	c->retry_ms = UINT64_MAX;
	c->reopen_ms = now_ms + DETECTOR_REOPEN_MS;
	return (struct detector_plan){ .ask = DETECTOR_ASK_OPEN };
}

/* A question that failed is asked again soon, or by CONNECTED. */
static struct detector_plan failed_question(struct detector_core *c, uint64_t now_ms)
{
	if (c->connected)
		c->retry_ms = now_ms + DETECTOR_RETRY_MS;
	return nothing;
}

static struct detector_plan on_listed(struct detector_core *c, const struct detector_event *ev)
{
	if (ev->result == DETECTOR_NO_AUTH)
		return no_auth(c, ev->now_ms);
	if (ev->result == DETECTOR_FAILED)
		return failed_question(c, ev->now_ms);
	if (ev->result == DETECTOR_NO_NODE) {
		struct detector_plan p = ask(c, DETECTOR_ASK_AWAIT);

		p.tell = none(c, "there is no %s in ZooKeeper yet", c->path);
		return p;
	}
	long i = leader_pick(ev->names, ev->n_names);
	if (i < 0)
		return (struct detector_plan){
			.tell = none(c, "no master is registered below %s in ZooKeeper", c->path)
		};
	if (strcmp(ev->names[i], c->leader) == 0)
		return nothing;
	(void)snprintf(c->node, sizeof(c->node), "%s", ev->names[i]);
	return ask(c, DETECTOR_ASK_READ);
}

static struct detector_plan on_read(struct detector_core *c, const struct detector_event *ev)
{
	char endpoint[LEADER_ENDPOINT_MAX];
	struct err err;

	if (ev->result == DETECTOR_NO_AUTH)
		return no_auth(c, ev->now_ms);
	if (ev->result == DETECTOR_NO_NODE) /* it went between our two questions */
		return ask(c, DETECTOR_ASK_LIST);
	if (ev->result == DETECTOR_FAILED)
		return failed_question(c, ev->now_ms);
	if (leader_endpoint(ev->data, ev->len, endpoint, &err) < 0)
		return (struct detector_plan){ .tell = none(c, "%s/%s in ZooKeeper names no master: %s",
						       c->path, c->node, err.text) };
	memcpy(c->endpoint, endpoint, sizeof(endpoint));
	memcpy(c->leader, c->node, sizeof(c->node));
	c->why[0] = '\0';
	c->led = true;
	return (struct detector_plan){ .tell = DETECTOR_TELL_LEADS };
}

/* The answer to the question that is under way, and what it leads to. */
static struct detector_plan on_answer(struct detector_core *c, const struct detector_event *ev)
{
	if (!c->busy)
		return nothing; /* of a session that was dropped */
	c->busy = false;
	struct detector_plan p = nothing;
	if (ev->kind == DETECTOR_EV_LISTED)
		p = on_listed(c, ev);
	else if (ev->kind == DETECTOR_EV_READ)
		p = on_read(c, ev);
	else if (ev->result == DETECTOR_OK)
		p = ask(c, DETECTOR_ASK_LIST);
	else if (ev->result != DETECTOR_NO_NODE)
		p = failed_question(c, ev->now_ms);
	if (c->again && !c->busy && !c->over)
		p.ask = ask(c, DETECTOR_ASK_LIST).ask;
	return p;
}

static struct detector_plan on_disconnected(struct detector_core *c, uint64_t now_ms)
{
	struct detector_plan p = nothing;

	if (c->connected)
		c->reopen_ms = now_ms + DETECTOR_REOPEN_MS;
	c->connected = false;
	c->retry_ms = UINT64_MAX;
	if (c->endpoint[0] == '\0')
		p.tell = none(c, "no ZooKeeper answers at %s", c->hosts);
	return p;
}

struct detector_plan detector_core_step(struct detector_core *c, const struct detector_event *ev)
{
	if (c->over)
		return nothing;
	switch (ev->kind) {
	case DETECTOR_EV_OPEN_FAILED:
		c->retry_ms = UINT64_MAX;
		c->reopen_ms = ev->now_ms + DETECTOR_RETRY_MS;
		return c->endpoint[0] != '\0'
			       ? nothing
			       : (struct detector_plan){ .tell = none(c, "no ZooKeeper at %s: %s", c->hosts,
								 ev->text) };
	case DETECTOR_EV_CONNECTED:
		c->connected = true;
		c->reopen_ms = UINT64_MAX;
		c->again = c->busy;
		return c->busy ? nothing : ask(c, DETECTOR_ASK_LIST);
	case DETECTOR_EV_DISCONNECTED:
		return on_disconnected(c, ev->now_ms);
	case DETECTOR_EV_EXPIRED:
		return open_anew(c, ev->now_ms);
	case DETECTOR_EV_DENIED:
		return fail(c, "ZooKeeper does not take the USER:PASSWORD of the zk:// URL");
	case DETECTOR_EV_CHANGED:
		c->again = c->busy;
		return c->busy || !c->connected ? nothing : ask(c, DETECTOR_ASK_LIST);
	case DETECTOR_EV_LISTED:
	case DETECTOR_EV_AWAITED:
	case DETECTOR_EV_READ:
		return on_answer(c, ev);
	case DETECTOR_EV_TICK:
		if (ev->now_ms >= c->reopen_ms)
			return open_anew(c, ev->now_ms);
		return ev->now_ms >= c->retry_ms ? ask(c, DETECTOR_ASK_LIST) : nothing;
	}
	return nothing;
}

uint64_t detector_core_next_ms(const struct detector_core *c)
{
	if (c->over)
		return UINT64_MAX;
	return c->reopen_ms < c->retry_ms ? c->reopen_ms : c->retry_ms;
}
