#include "scheduler/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/link.h"

struct peer {
	char id[LINK_NAME_MAX + 1];
	struct link *link;
	UT_hash_handle hh;
};

struct peers {
	struct link_server *server;
	const struct peers_ops *ops;
	void *arg;
	struct peer *by_id;
};

static struct peer *find(struct peers *p, const char *id)
{
	struct peer *peer;

	HASH_FIND_STR(p->by_id, id, peer);
	return peer;
}

static void forget(struct peers *p, struct peer *peer, const char *why)
{
	HASH_DELETE(hh, p->by_id, peer);
	p->ops->down(p->arg, peer->id, why);
	free(peer);
}

static void on_up(void *arg, struct link *link, const char *name)
{
	struct peers *p = arg;

	struct peer *old = find(p, name);
	if (old != NULL) {
		(void)link_free(old->link);
		forget(p, old, "it connected again");
	}
	struct peer *peer = calloc(1, sizeof(*peer));
	if (peer == NULL) {
		(void)link_free(link);
		return;
	}
	peer->link = link;
	(void)strncpy(peer->id, name, LINK_NAME_MAX);
	HASH_ADD_STR(p->by_id, id, peer);
	if (find(p, name) != peer) { /* no memory for the table: the executor will try again */
		free(peer);
		(void)link_free(link);
		return;
	}
	link_set_data(link, peer);
	p->ops->up(p->arg, peer->id);
}

static void on_frame(void *arg, struct link *link, const void *data, size_t len)
{
	struct peers *p = arg;
	struct peer *peer = link_data(link);

	Quern__ToDriver *message = quern__to_driver__unpack(NULL, len, data);
	if (message == NULL) {
		(void)link_free(link);
		forget(p, peer, "it sent what is not a message");
		return;
	}
	p->ops->message(p->arg, peer->id, message);
	quern__to_driver__free_unpacked(message, NULL);
}

static void on_down(void *arg, struct link *link, const char *why)
{
	struct peer *peer = link_data(link);

	if (peer != NULL) /* NULL: it never got through the handshake */
		forget(arg, peer, why);
}

static const struct link_ops link_ops = { .up = on_up, .frame = on_frame, .down = on_down };

int peers_new(struct event_base *loop, const char *address, const uint8_t *secret,
	const struct peers_ops *ops, void *arg, struct peers **ret, struct err *err)
{
	struct peers *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	p->ops = ops;
	p->arg = arg;
	const struct link_config config = { .secret = secret, .ops = &link_ops, .arg = p };
	int r = link_listen(loop, address, 0, &config, &p->server, err);
	if (r < 0) {
		free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct peers *peers_free(struct peers *p)
{
	struct peer *peer, *next;

	if (p == NULL)
		return NULL;
	HASH_ITER (hh, p->by_id, peer, next) {
		HASH_DELETE(hh, p->by_id, peer);
		free(peer);
	}
	(void)link_server_free(p->server);
	free(p);
	return NULL;
}

uint16_t peers_port(const struct peers *p)
{
	return link_server_port(p->server);
}

int peers_send(struct peers *p, const char *executor_id, const void *data, size_t len)
{
	struct peer *peer = find(p, executor_id);

	return peer == NULL ? -ENOTCONN : link_send(peer->link, data, len);
}
