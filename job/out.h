/* out.h: what stands behind quern_out, quern_fail() and its like: the seam between user functions and whoever
 * runs them. */
#ifndef QUERN_JOB_OUT_H
#define QUERN_JOB_OUT_H

#include <setjmp.h>
#include <quern/quern.h>

#include "base/err.h"
#include "job/tally.h"

/* An operator that takes records embeds this as its first member. */
struct quern_out {
	/* Takes one record; copies what it keeps. `key.ptr` is NULL when the record has no key. */
	void (*emit)(struct quern_out *out, quern_slice key, quern_slice value);
};

/* Whoever gives values one by one embeds this as its first member. */
struct quern_values {
	bool (*next)(struct quern_values *values, quern_slice *value); /* quern_next_value() */
};

/* Whoever gives records one by one embeds this as its first member, or finds itself from it. */
struct quern_records {
	bool (*next)(struct quern_records *records, quern_slice *key, quern_slice *value); /* quern_next() */
};

/* A record that user code was given. */
struct out_record {
	uint64_t number;        /* in the task, the first is 1; 0: there is none */
	quern_slice key, value; /* `ptr` NULL: there is no key; of a key and all its values, no value */
};

/* A task, as user functions reach it. Those that run in a thread of their own have one of their own, with the
 * same tally. */
struct out_task {
	const char *path;                /* of the file that is read; or NULL. Borrowed, like all of this */
	const char *from;                /* without a path: what is read, in words; or NULL */
	const struct out_record *record; /* it is at; or NULL */
	struct tally *tally;             /* what is counted, and bad records */
};

/* Runs `run(arg)`; quern_fail() inside it, at any depth, ends it. 0; -ECANCELED with quern_fail()'s text in
 * `err`; -EBADMSG with that of a bad record which cannot be left out: trying again cannot help. `task`: where
 * records are named and things counted; NULL: nowhere. May not be nested. Outside of a guard quern_fail()
 * prints its text on stderr and exits with 1. */
int out_guard(void (*run)(void *arg), void *arg, struct out_task *task, struct err *err);

/* Appends to the sentence which record it is about: " (input 'a.txt', record 7: key 'abc', value '\x00def')",
 * at most 60 bytes of each. Nothing when there is none. */
void out_name_record(const struct out_task *task, struct err *err);

/* Where quern_bad_record() goes on this thread, within a guard, when the record may be left out; NULL, as it
 * is at first: nowhere, and the task fails. Returns what it was. Who calls user code that does not work for
 * one record alone, or that must not be left by a jump, makes it NULL as long as that runs. */
jmp_buf *out_skip(jmp_buf *to);

/* The tally of the task whose user function this thread runs; NULL: none. */
struct tally *out_tally(void);

#endif
