/* graph.h: the dataset graph behind quern.h, inside the process that runs quern_main(). */
#ifndef QUERN_JOB_GRAPH_H
#define QUERN_JOB_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <quern/quern.h>

#include "base/err.h"
#include "job/code.h"
#include "job/plan.pb-c.h"
#include "job/session.pb-c.h"
#include "job/tally.h"

/* ---- Memory that is given back all at once ---- */

struct memory {
	struct memory_block *blocks; /* newest first */
};

/* `n` zeroed bytes, aligned for any type; or NULL. */
void *memory_take(struct memory *m, size_t n);
/* A copy, with a NUL behind it; or NULL. */
void *memory_copy(struct memory *m, const void *data, size_t n);
/* What printf() would print; or NULL. */
char *memory_format(struct memory *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void memory_deinit(struct memory *m);

/* ---- The graph ---- */

enum set_kind {
	SET_SOURCE,   /* what `source` says */
	SET_STEP,     /* a narrow step of `parent` */
	SET_SHUFFLED, /* what comes out of one shuffle */
	SET_GROUPED,  /* what `group` makes of one shuffle by hash, or of two */
	SET_UNION,    /* the records of `parents`, one set's behind the other's */
};

/* Keys that divide a set into parts of about one size. */
struct bounds {
	ProtobufCBinaryData *at; /* keys in the order of the sort */
	size_t n;
};

/* What executors keep of a persisted set, under a name that every action uses. */
struct set_cache {
	uint32_t id;
	bool compressed;
	bool dropped; /* unpersisted: the step is left out from now on */
	bool planned; /* an action had it: what comes before it may not be computed again */
};

/* What shuffles that are read together have in common: how they hash, and into how many partitions they go.
 */
struct set_seed {
	uint32_t id;           /* Sink.seed */
	uint32_t partitions;   /* 0: the driver's choice */
	bool planned;          /* an action had one of them: nothing of this changes any more */
	struct set_seed *same; /* the one that this has become a part of; or NULL */
};

/* A shuffle, and the stage that writes it. Both are named when the first set that reads it is made, so that
 * every action that needs them names them alike, and they are written once. */
struct set_shuffle {
	uint32_t id, stage;
	struct set_seed *seed;          /* see shuffle_seed() */
	quern_set *from;                /* whose records it takes */
	const Quern__Function *combine; /* while mapping; or NULL */
	const Quern__Order *order;      /* of a sort; or NULL */
	const struct bounds *bounds;    /* of a sort; NULL until the first action that needs them */
	bool planned;                   /* an action had it */
	uint32_t stamp;                 /* see stages_each() */
};

static inline struct set_seed *shuffle_seed(const struct set_shuffle *shuffle)
{
	struct set_seed *seed = shuffle->seed;

	while (seed->same != NULL)
		seed = seed->same;
	return seed;
}

enum { SET_INPUTS_MAX = 2 };

/* A shuffle that a set reads, and how. */
struct set_input {
	struct set_shuffle *shuffle;
	const Quern__Function *reduce; /* or NULL */
	const Quern__Order *order;     /* or NULL */
};

struct quern_set {
	quern_job *job;
	const char *error; /* the first mistake on the way to this set; then nothing else is valid */
	enum set_kind kind;
	quern_set *parent;   /* of a step */
	quern_set **parents; /* of a union */
	size_t n_parents;
	Quern__Source *source; /* of a source */
	struct set_input inputs[SET_INPUTS_MAX];
	size_t n_inputs;
	const Quern__Group *group;   /* of a group; its function, if any, is `fn` */
	struct set_shuffle *by_hash; /* of the set's own records as they are, once a group has wanted it */
	Quern__Step step;            /* of a step; its function is `fn` unless it keeps records */
	struct set_cache *cache;     /* of a CACHE step */
	Quern__Function fn;
	Quern__Order order;
	Quern__ValueType key_type, value_type;  /* for save_text and sorts */
	uint32_t task_cores_milli, task_mem_mb; /* of the tasks that compute it; 0: as any task */
	bool has_key;                           /* records may have one */
	uint32_t stamp;                         /* see stages_each() */
};

/* Gets the result of one partition; borrowed. Non-zero: no more is wanted. */
typedef int job_result_fn(void *arg, uint32_t partition, const uint8_t *data, size_t len);

/* How actions reach the driver: the session, or a test. */
struct job_runner {
	/* Runs an action to its end, and takes the totals (job_take_totals()). Gives the results to `result`
	 * one by one in the order of partitions, those of the partitions that there are; not after a non-zero
	 * return of it. 0, also after such a return; > 0: the action failed and the driver has said why;
	 * negative with a sentence, or without one when there is nobody to tell: no driver. */
	int (*run)(
		void *arg, const Quern__Run *run, job_result_fn *result, void *result_arg, struct err *err);
	/* What is kept of a persisted set may go; does not wait. 0, or negative: no driver. NULL: nothing is
	 * to be told. */
	int (*unpersist)(void *arg, uint32_t cache);
	/* A value for all tasks; its descriptor stays open until this returns. 0; negative with a sentence,
	 * or without one: no driver. */
	int (*broadcast)(void *arg, const Quern__SessionToDriver__Broadcast *broadcast, struct err *err);
	/* It may go; does not wait. 0, or negative: no driver. */
	int (*destroy)(void *arg, uint32_t broadcast);
	void *arg;
};

struct quern_job {
	const struct code *code;
	struct job_runner runner;
	struct memory memory; /* of sets; theirs until the job ends */
	uint32_t next_run, next_stage, next_shuffle, next_cache, next_broadcast;
	uint32_t stamp;                                 /* of the last walk over the graph */
	bool running;                                   /* an action is under way */
	Quern__Accumulator *accumulators[TALLY_COUNTS]; /* by id */
	size_t n_accumulators;
	Quern__Count **totals; /* owned: what accumulators and counters have come to */
	size_t n_totals;
	quern_set no_memory;
};

/* A job without sets. `code` is borrowed. */
void job_init(quern_job *job, const struct code *code, const struct job_runner *runner);
void job_deinit(quern_job *job);

/* What the driver says that accumulators and counters have come to: takes all of it, malloc()ed. */
void job_take_totals(quern_job *job, Quern__Count **totals, size_t n);

#endif
