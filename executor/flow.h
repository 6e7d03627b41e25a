/* flow.h: what the operators of one running task share: whether records are still wanted, and the first
 * failure. An operator's emit() returns nothing, so a failure is kept here; sources look at `stop` between
 * records. */
#ifndef QUERN_EXECUTOR_FLOW_H
#define QUERN_EXECUTOR_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job/out.h"

enum { FLOW_WIDE = 16 };

struct flow {
	bool stop;  /* no more records: a limit was reached, or something failed */
	bool final; /* the failure is one that trying again cannot help */
	int result; /* 0, or the first failure (negative errno; its sentence is in err) */
	/* A source's buffer: from any of these bytes on, FLOW_WIDE may be read. Short keys, which mostly are
	 * pieces of it, can be taken without looking at how short they are. */
	uintptr_t wide;
	size_t wide_len;
	struct err err;
	struct out_task *task; /* as user functions see it; or NULL */
};

/* Ends the flow with a failure, unless one stands already. `final`: trying again cannot help. */
void flow_fail(struct flow *flow, int code, bool final, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, final, for what cannot be done with the record that is being worked on, which the sentence names.
 */
void flow_fail_record(struct flow *flow, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a negative result of a function that has set `err`. */
void flow_fail_err(struct flow *flow, int code, const struct err *err);

#endif
