/* resources_piece.h: one piece of resources: what it is, and how much; and a set of them. Behind resources.h.
 */
#ifndef QUERN_MESOS_RESOURCES_PIECE_H
#define QUERN_MESOS_RESOURCES_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/vec.h"
#include "mesos/mesos.pb-c.h"
#include "mesos/resources.h"

/* Everything about a piece but its value; shared by reference count, never changed. */
struct identity {
	size_t references;
	Mesos__V1__Resource *meta; /* without scalar, ranges, set */
	size_t key_len;
	uint8_t key[]; /* meta, packed: equal bytes, equal identity */
};

int identity_new(const Mesos__V1__Resource *like, struct identity **ret);
struct identity *identity_ref(struct identity *id);
void identity_unref(struct identity *id);
bool identity_same(const struct identity *a, const struct identity *b);

struct range {
	uint64_t begin, end; /* both inside */
};

struct piece {
	struct identity *id;
	int64_t milli;            /* scalars: thousandths */
	VEC(struct range) ranges; /* sorted, disjoint, not adjacent */
	VEC(char *) items;        /* sorted, each once */
};

void piece_deinit(struct piece *p);
int piece_copy(const struct piece *p, struct piece *ret);
bool piece_empty(const struct piece *p);
/* For some role, in either form that messages have for that. */
bool piece_reserved(const struct piece *p);

/* The value of a message, checked: -EINVAL with a sentence. ret->id is made. piece_deinit() in any case. */
int piece_from_pb(const Mesos__V1__Resource *r, struct piece *ret, struct err *err);
/* A message of its own, for mesos__v1__resource__free_unpacked(). NULL: no memory. */
Mesos__V1__Resource *piece_to_pb(const struct piece *p);

/* All three: pieces of the same identity. -ENOMEM; _subtract: `what` is contained in `from`. */
int piece_add(struct piece *into, const struct piece *what);
int piece_subtract(struct piece *from, const struct piece *what);
bool piece_contains(const struct piece *p, const struct piece *what);

struct resources {
	VEC(struct piece) pieces; /* none is empty, no two have the same identity */
};

AUTO_FREE(resources, struct resources, resources_free)
#define auto_resources AUTO_CLEANUP(auto_resources_cleanup_)

/* A copy of the piece is in it. */
int resources_add_piece(struct resources *r, const struct piece *p);

#endif
