/* accumulator.c: accumulators in the process of quern_main(): made, and read. What tasks do with them is in
 * tally.c. */
#include <stdio.h>
#include <stdlib.h>

#include "job/graph.h"
#include "job/reduction.h"

static quern_accumulator none(const char *what, const char *name)
{
	(void)fprintf(stderr, "quern: quern_accumulator_...(): %s: '%.*s'\n", what, TALLY_NAME,
		name != NULL ? name : "");
	return (quern_accumulator){ UINT32_MAX, REDUCE_CALL };
}

static quern_accumulator make(quern_job *job, const char *name, enum reduction kind)
{
	if (name == NULL || *name == '\0' || strlen(name) > TALLY_NAME)
		return none("a name has 1 to 100 bytes", name);
	if (job->n_accumulators == TALLY_COUNTS)
		return none("there are at most 120", name);
	Quern__Accumulator *a = memory_take(&job->memory, sizeof(*a));
	char *copy = memory_copy(&job->memory, name, strlen(name));
	if (a == NULL || copy == NULL)
		return none("out of memory", name);
	quern__accumulator__init(a);
	a->name = copy;
	a->kind = (Quern__Count__Kind)kind;
	job->accumulators[job->n_accumulators] = a;
	return (quern_accumulator){ (uint32_t)job->n_accumulators++, kind };
}

quern_accumulator quern_accumulator_u64(quern_job *job, const char *name)
{
	return make(job, name, REDUCE_SUM_U64);
}

quern_accumulator quern_accumulator_i64(quern_job *job, const char *name)
{
	return make(job, name, REDUCE_SUM_I64);
}

quern_accumulator quern_accumulator_double(quern_job *job, const char *name)
{
	return make(job, name, REDUCE_SUM_DOUBLE);
}

quern_accumulator quern_accumulator_by(quern_job *job, const char *name, quern_reduce_fn *reduction)
{
	Quern__Function f = QUERN__FUNCTION__INIT;
	struct err err;

	if (reduction == NULL || code_describe(job->code, (code_fn *)reduction, &f, &err) < 0 ||
		code_reduction(&f) == REDUCE_CALL)
		return none("it is not one of the reductions that quern knows", name);
	return make(job, name, code_reduction(&f));
}

/* ---- Totals ---- */

void job_take_totals(quern_job *job, Quern__Count **totals, size_t n)
{
	for (size_t i = 0; i < job->n_totals; i++)
		quern__count__free_unpacked(job->totals[i], NULL);
	free(job->totals);
	job->totals = totals;
	job->n_totals = n;
}

static uint64_t total(const quern_job *job, quern_accumulator a, const char *type)
{
	if (strcmp(tally_type((enum reduction)a.kind), type) != 0)
		quern_fail("quern_total_%s(): this is no accumulator of that type, but of %s", type,
			tally_type((enum reduction)a.kind));
	for (size_t i = 0; i < job->n_totals; i++)
		if (job->totals[i]->has_id && job->totals[i]->id == a.id)
			return job->totals[i]->bits;
	return reduce_identity((enum reduction)a.kind);
}

uint64_t quern_total_u64(const quern_job *job, quern_accumulator a)
{
	return total(job, a, "u64");
}

int64_t quern_total_i64(const quern_job *job, quern_accumulator a)
{
	return (int64_t)total(job, a, "i64");
}

double quern_total_double(const quern_job *job, quern_accumulator a)
{
	return reduce_as_double(total(job, a, "double"));
}

int64_t quern_counter_total(const quern_job *job, const char *name)
{
	for (size_t i = 0; i < job->n_totals; i++)
		if (job->totals[i]->name != NULL && strcmp(job->totals[i]->name, name) == 0)
			return (int64_t)job->totals[i]->bits;
	return 0;
}
