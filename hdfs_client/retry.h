/* retry.h: which NameNode an operation asks next, when, and when it gives up. No I/O and no clock: outcomes
 * and the time go in, a decision comes out.
 *
 * NameNodes are asked in turn. A round of all of them is without waits; between rounds there is one that
 * doubles, with jitter from a seed, so that a thousand clients do not come back at once. A round that has
 * begun is ended, also when one of them took all the time there was. What may have taken place is never
 * blindly repeated: the caller looks first whether it did.
 *
 * A NameNode that has answered before is worth all patience when it does not. Where none ever has, the host
 * or the port is wrong, as a rule, and somebody is waiting to hear it. */
#ifndef QUERN_HDFS_CLIENT_RETRY_H
#define QUERN_HDFS_CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HDFS_WAIT_FIRST_MS = 100, /* the longest first wait; at least half of it */
	HDFS_WAIT_MOST_MS = 5000,
	HDFS_HOPELESS_ROUNDS = 3,
	HDFS_STRANGE_MS = 20000, /* patience with NameNodes of which none has ever answered */
};

/* What became of one request. */
enum hdfs_outcome {
	HDFS_ANSWERED,  /* an answer, whether it is liked or not */
	HDFS_UNREACHED, /* nobody there: nothing was sent */
	HDFS_HOPELESS,  /* the same, and it is hardly a failover: the name is not known, TLS is refused */
	HDFS_LOST,      /* sent, and no answer */
	HDFS_STANDBY,   /* this NameNode is not the active one: it did nothing */
	HDFS_NOT_NOW,   /* it is, and did nothing: safe mode, starting, too busy */
};

enum hdfs_next {
	HDFS_NEXT_TAKE,    /* the answer */
	HDFS_NEXT_ASK,     /* NameNode `at`, after the wait */
	HDFS_NEXT_LOOK_UP, /* whether it took place; if not, hdfs_retry_undone() */
	HDFS_NEXT_GIVE_UP,
};

struct hdfs_retry {
	unsigned n, at;  /* NameNodes; whom to ask */
	bool repeatable; /* twice is as good as once */
	bool uncertain;  /* an answer was lost, so that it may have taken place */
	bool known;      /* a NameNode has answered, now or before; the caller may set it meanwhile */
	uint64_t began_ms;
	uint64_t until_ms; /* no wait goes beyond */
	uint64_t seed;
	unsigned tried, rounds; /* since the last wait; waits */
	bool hope;              /* some outcome was not hopeless */
};

/* `first`: the NameNode that answered last; `known`: whether any has. */
void hdfs_retry_init(struct hdfs_retry *r, unsigned n, unsigned first, bool known, bool repeatable,
	uint64_t patience_ms, uint64_t seed, uint64_t now_ms);

/* *ret_wait_ms is set with HDFS_NEXT_ASK. */
enum hdfs_next hdfs_retry_step(
	struct hdfs_retry *r, enum hdfs_outcome outcome, uint64_t now_ms, uint64_t *ret_wait_ms);

/* It did not take place: ASK or GIVE_UP. */
enum hdfs_next hdfs_retry_undone(struct hdfs_retry *r, uint64_t now_ms, uint64_t *ret_wait_ms);

/* How long it goes on from its beginning, as far as one knows now. */
uint64_t hdfs_retry_patience_ms(const struct hdfs_retry *r);

#endif
