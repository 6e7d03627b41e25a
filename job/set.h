/* set.h: what the files that make sets share (set.c, set_*.c). Transformations never fail where they stand: a
 * mistake is kept in the set that they return. */
#ifndef QUERN_JOB_SET_H
#define QUERN_JOB_SET_H

#include "job/graph.h"

/* An empty set of `job`; the job's only one for this purpose when there is no memory. */
quern_set *set_new(quern_job *job);

/* One that carries a mistake; `error` is the job's, NULL: no memory. */
quern_set *set_wrong(quern_job *job, const char *error);

/* The same set again, for something to be changed in it. */
quern_set *set_copy(const quern_set *from);

/* Makes *f the function `fn` with its argument. `what` names the caller. false: a mistake, which stands in
 * *ret_error (NULL: no memory). */
bool set_function(quern_job *job, Quern__Function *f, const char *what, code_fn *fn, const quern_slice *arg,
	const char **ret_error);

/* A step of `parent` with a function; `fn` NULL is a mistake. Keys and values are of no type afterwards, and
 * there may be a key: whoever knows better says so. Look for `error` first. */
quern_set *set_step(quern_set *parent, const char *what, Quern__Step__Kind kind, bool pairs, code_fn *fn,
	const quern_slice *arg);

/* A step that folds each value into `zero` by `fn`; keys stay. */
quern_set *set_fold(
	quern_set *parent, const char *what, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg);

/* The same without a function; types stay. */
quern_set *set_plain_step(quern_set *parent, Quern__Step__Kind kind);

/* Types and keys are those of `from`. */
void set_types(quern_set *set, const quern_set *from);

/* A set that a new shuffle makes of the records of `parent`: by hash, as they are, unless the caller says
 * otherwise. Types stay. Look for `error` first. */
quern_set *set_shuffled(quern_set *parent, uint32_t partitions);

/* Fills set->order in from quern.h's enum, and has the set's shuffle bring records so. false: there is no
 * such order. */
bool set_ordered(quern_set *set, unsigned order);

/* A new shuffle of the records of `from`; NULL: no memory. */
struct set_shuffle *set_shuffle_new(quern_set *from, uint32_t partitions);

/* Sees to it that the two hash alike and have as many partitions. false: they cannot, for actions have had
 * both, or the job wants them divided otherwise; nothing has changed then. */
bool set_shuffles_agree(const struct set_shuffle *a, const struct set_shuffle *b);

#endif
