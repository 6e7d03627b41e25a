/* sample.h: what a sort_by_key divides its partitions by: keys that cut the records into parts of about one
 * size, out of samples of them (Sink.SAMPLE, one for each task). */
#ifndef QUERN_JOB_SAMPLE_H
#define QUERN_JOB_SAMPLE_H

#include "base/vec.h"
#include "job/graph.h"

enum {
	SAMPLE_KEYS = 1024,  /* of a task */
	SAMPLE_BOUNDS = 4096 /* parts: more partitions than that get none of the records */
};

struct sample_key {
	quern_slice key;
	double weight; /* records that it stands for */
};

struct sample {
	const Quern__Order *order; /* borrowed */
	quern_compare_fn *compare; /* of an order with a function: that, for the caller to set; or NULL */
	void *arg;
	struct memory memory;
	VEC(struct sample_key) keys;
	int result; /* 0; -ENOMEM; -EBADMSG: a sample was none */
};

void sample_init(struct sample *s, const Quern__Order *order);
void sample_deinit(struct sample *s);

/* Takes one task's: a job_result_fn whose `arg` is the sample. */
int sample_add(void *sample, uint32_t partition, const uint8_t *data, size_t len);

/* The bounds, made in `m`. 0, or s->result, or -ENOMEM. */
int sample_bounds(struct sample *s, struct memory *m, const struct bounds **ret);

#endif
