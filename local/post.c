#include "local/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256 }; /* letters of one round: sockets and timers have their turn between two */

struct letter {
	struct letter *next;
	uint32_t from, to;
	size_t len;
	uint8_t data[];
};

struct post {
	struct event *due;
	struct letter *first, **last;
	post_deliver *deliver;
	void *arg;
};

static struct letter *take_first(struct post *p)
{
	struct letter *l = p->first;

	p->first = l->next;
	if (p->first == NULL)
		p->last = &p->first;
	return l;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct post *p = arg;

	(void)fd, (void)what;
	for (int i = 0; i < BATCH && p->first != NULL; i++) {
		struct letter *l = take_first(p);
		p->deliver(p->arg, l->from, l->to, l->data, l->len);
		free(l);
	}
	if (p->first != NULL)
		event_active(p->due, 0, 0);
}

int post_new(struct event_base *loop, post_deliver *deliver, void *arg, struct post **ret, struct err *err)
{
	struct post *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*p = (struct post){ .deliver = deliver, .arg = arg };
	p->last = &p->first;
	p->due = event_new(loop, -1, EV_PERSIST, on_due, p);
	if (p->due == NULL) {
		post_free(p);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = p;
	return 0;
}

struct post *post_free(struct post *p)
{
	if (p == NULL)
		return NULL;
	while (p->first != NULL)
		free(take_first(p));
	if (p->due != NULL)
		event_free(p->due);
	free(p);
	return NULL;
}

int post_send(struct post *p, uint32_t from, uint32_t to, const uint8_t *data, size_t len)
{
	struct letter *l = malloc(sizeof(*l) + len);
	if (l == NULL)
		return -ENOMEM;
	*l = (struct letter){ .from = from, .to = to, .len = len };
	if (len > 0)
		memcpy(l->data, data, len);
	*p->last = l;
	p->last = &l->next;
	event_active(p->due, 0, 0);
	return 0;
}
