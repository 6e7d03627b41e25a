/* quern.h: the job API. A job is a C file (or a shared object) with a quern_main(); `quern run job.c ARG...`
 * runs it.
 *
 *     static void words(quern_slice line, quern_out *out, void *arg)
 *     {
 *             quern_slice word;
 *             while (quern_next_word(&line, &word))
 *                     quern_emit_u64(out, word, 1);
 *     }
 *
 *     int quern_main(quern_job *job, int argc, char **argv)
 *     {
 *             quern_set *lines = quern_text(job, argv[1]);
 *             quern_set *counts = quern_reduce_by_key(quern_flat_map(lines, words, NULL), quern_sum_u64,
 * NULL); return quern_save_text(counts, argv[2]);
 *     }
 *
 * A dataset (quern_set) is a lazily evaluated, partitioned list of records; a record is a key and a value,
 * both byte slices. Transformations build a graph and run nothing; actions run it. quern_main() runs in a
 * process of its own beside the driver; the functions given to transformations run in worker processes on the
 * cluster, where what quern_main() put into variables is *not* there: whatever a function needs travels in
 * its `arg`.
 *
 * Transformations never fail where they stand: a mistake (no memory, a function that is not the job's) is
 * kept in the set and reported by the action that runs it. Sets belong to the job; nothing here needs
 * freeing. */
#ifndef QUERN_QUERN_H
#define QUERN_QUERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quern_job quern_job; /* the running job */
typedef struct quern_set quern_set; /* a dataset */
typedef struct quern_out quern_out; /* where a function's records go */

/* Bytes somebody else owns. In a callback they are valid until it returns. Not terminated by a NUL. */
typedef struct quern_slice {
	const char *ptr;
	size_t len;
} quern_slice;

/* What a transformation's function gets as `arg`: a pointer to a copy of these bytes, aligned for any type,
 * private to the worker process. NULL for none. QUERN_ARG(variable) takes a variable's bytes; pointers inside
 * them do not travel. */
#define QUERN_ARG(variable) (&(const quern_slice){ (const char *)&(variable), sizeof(variable) })

static inline quern_slice quern_bytes(const void *ptr, size_t len)
{
	quern_slice s = { (const char *)ptr, len };
	return s;
}

static inline quern_slice quern_str(const char *text)
{
	return quern_bytes(text, strlen(text));
}

/* ---- Functions that a user writes ---- */

/* Looks at a value (a line, of quern_text()) and emits any number of records; exactly one for quern_map(). */
typedef void quern_map_fn(quern_slice value, quern_out *out, void *arg);
/* The same with the key. */
typedef void quern_map_pair_fn(quern_slice key, quern_slice value, quern_out *out, void *arg);
/* Whether a record stays. */
typedef bool quern_filter_fn(quern_slice value, void *arg);
typedef bool quern_filter_pair_fn(quern_slice key, quern_slice value, void *arg);
/* Combines two values of one key; emits the result with quern_put(), once. Must be associative and
 * commutative: it runs while mapping and again while reducing, in any order. */
typedef void quern_reduce_fn(quern_slice a, quern_slice b, quern_out *out, void *arg);

/* ---- For use inside them ---- */

/* Emits a record. The bytes are copied. */
void quern_emit(quern_out *out, quern_slice key, quern_slice value);
/* Emits a record without a key. */
void quern_put(quern_out *out, quern_slice value);
/* Emits a key and a number: 8 bytes, little-endian; quern_as_u64() and friends read it back. */
void quern_emit_u64(quern_out *out, quern_slice key, uint64_t value);
void quern_emit_i64(quern_out *out, quern_slice key, int64_t value);
void quern_emit_double(quern_out *out, quern_slice key, double value);

/* Fails this attempt of the task with a text of printf's kind. Does not return. */
void quern_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Takes the next word of `text` into *word, and out of `text`: words are separated by what isspace() says in
 * the C locale. false: there is none. */
static inline bool quern_next_word(quern_slice *text, quern_slice *word)
{
	const char *p = text->ptr, *end = p + text->len;

	while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	if (p == end)
		return false;
	word->ptr = p;
	while (p < end && !(*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	word->len = (size_t)(p - word->ptr);
	text->ptr = p;
	text->len = (size_t)(end - p);
	return true;
}

/* The number in a value of 8 bytes; any other length fails the task and says so. */
uint64_t quern_as_u64(quern_slice value);
int64_t quern_as_i64(quern_slice value);
double quern_as_double(quern_slice value);

/* ---- Sources ---- */

/* Lines of text files, without their newline: `path` is a file, a folder (the files in it, not hidden ones:
 * no leading '.' or '_'), or a glob. */
quern_set *quern_text(quern_job *job, const char *path);

/* ---- Transformations ---- */

quern_set *quern_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg);
quern_set *quern_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg);
quern_set *quern_flat_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg);
quern_set *quern_flat_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg);
quern_set *quern_filter(quern_set *set, quern_filter_fn *fn, const quern_slice *arg);
quern_set *quern_filter_pairs(quern_set *set, quern_filter_pair_fn *fn, const quern_slice *arg);

/* One record per key, its values combined by `fn`, first where they are made, then again after the shuffle.
 */
quern_set *quern_reduce_by_key(quern_set *set, quern_reduce_fn *fn, const quern_slice *arg);

/* The same set divided into `partitions` by the shuffle that makes it; only on the result of a wide
 * transformation. The default is as many as there are cores to be had, at most as many as the stage before
 * has tasks. */
quern_set *quern_partitions(quern_set *set, uint32_t partitions);

/* Reductions that quern knows, and does without a call per record: values are 8 bytes (quern_emit_u64 and
 * friends). */
quern_reduce_fn quern_sum_u64, quern_min_u64, quern_max_u64;
quern_reduce_fn quern_sum_i64, quern_min_i64, quern_max_i64;
quern_reduce_fn quern_sum_double, quern_min_double, quern_max_double;

/* How keys and values are printed by quern_save_text(). The known reductions set the value's type by
 * themselves. */
enum quern_type { QUERN_BYTES, QUERN_U64, QUERN_I64, QUERN_DOUBLE };
quern_set *quern_typed(quern_set *set, enum quern_type key, enum quern_type value);

/* ---- Actions. 0, or non-zero when the job cannot go on: return it from quern_main(), the driver has said
 * why. ---- */

/* Writes part-NNNNN files and _SUCCESS into folder `path`, which must not exist: a line per record,
 * "key<TAB>value", or the value alone when records have no key. */
int quern_save_text(quern_set *set, const char *path);

int quern_count(quern_set *set, uint64_t *ret);

/* Gives every record to `each`, here in quern_main()'s process, partition by partition in order. A non-zero
 * return of `each` ends the action with that. */
typedef int quern_each_fn(quern_slice key, quern_slice value, void *arg);
int quern_collect(quern_set *set, quern_each_fn *each, void *arg);

/* The first `n` records, running as few tasks as it takes. */
int quern_take(quern_set *set, uint64_t n, quern_each_fn *each, void *arg);

/* ---- Written by the user ---- */

/* argv[0] is the job's name; argv[1] to argv[argc - 1] are the arguments behind it on the command line;
 * argv[argc] is NULL. Return 0, what an action returned, or 1 after saying why on stderr. */
int quern_main(quern_job *job, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
