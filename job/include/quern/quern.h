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
 *             quern_set *ones = quern_flat_map(lines, words, NULL);
 *             quern_set *counts = quern_reduce_by_key(ones, quern_sum_u64, NULL);
 *
 *             return quern_save_text(counts, argv[2]);
 *     }
 *
 * A dataset (quern_set) is a lazily evaluated, partitioned list of records; a record is a key and a value,
 * both any bytes; or a value alone, as the lines of a text are. Transformations build a graph and run
 * nothing; actions run it.
 *
 * Two kinds of code. quern_main(), and the functions that quern_collect() and quern_take() call, run once, in
 * a process of their own beside the driver. The functions given to transformations run in worker processes on
 * the cluster, many at a time, and again where a task is tried again: what quern_main() put into variables is
 * *not* there, and whatever such a function needs travels in its `arg`. A worker runs task after task, so
 * variables keep what an earlier task left in them: use none for results. What a worker prints on stdout is
 * in the sandbox of its executor; the last lines of its stderr are also shown with a failure.
 *
 * Mistakes. Transformations never fail where they stand: a mistake (no memory, a function that is not the
 * job's) is kept in the set, and reported by the action that runs it. They never return NULL.
 *
 * Ownership. Sets belong to the job, and end with it. What goes into a function here (paths, slices,
 * arguments) is copied; what comes out of one (a slice in a callback) is borrowed until the callback returns.
 * Nothing here needs freeing. Functions that take a job or a set are for quern_main()'s thread alone. */
#ifndef QUERN_QUERN_H
#define QUERN_QUERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quern/encode.h>
#include <quern/slice.h>
#include <quern/text.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct quern_job quern_job;         /* the running job */
typedef struct quern_set quern_set;         /* a dataset */
typedef struct quern_out quern_out;         /* where a function's records go */
typedef struct quern_records quern_records; /* the records of a partition, one by one */

/* For the last parameter of transformations: what the function gets as `arg`. NULL: it gets NULL. Otherwise a
 * pointer to a copy of these bytes (8 MiB at most, taken now), aligned for any type: one copy for each task
 * and each step, which the function may change. QUERN_ARG(variable) takes a variable's bytes; pointers inside
 * them do not travel. */
#define QUERN_ARG(variable) (&(const quern_slice){ (const char *)&(variable), sizeof(variable) })

/* ---- Functions that a user writes ----
 *
 * `out` is where their records go: until they return, and nowhere else. `arg`: see QUERN_ARG(). All slices
 * are borrowed. A function that cannot go on calls quern_fail(). One that crashes, or exits, fails its task,
 * which is tried again (`quern run --help`: --task-max-failures). */

/* Looks at a value (a line, of quern_text()) and emits any number of records; exactly one for quern_map(), or
 * the task fails. */
typedef void quern_map_fn(quern_slice value, quern_out *out, void *arg);
/* The same with the key. */
typedef void quern_map_pair_fn(quern_slice key, quern_slice value, quern_out *out, void *arg);
/* Whether a record stays. */
typedef bool quern_filter_fn(quern_slice value, void *arg);
typedef bool quern_filter_pair_fn(quern_slice key, quern_slice value, void *arg);
/* Combines two values of one key; emits the result with quern_put(), exactly once, or the task fails. Must be
 * associative and commutative: it runs while mapping and again while reducing, in any order. A key that
 * occurs once never gets here. */
typedef void quern_reduce_fn(quern_slice a, quern_slice b, quern_out *out, void *arg);

/* The values of a key, one after the other (quern_next_value()). They come as the shuffle's merge reads them,
 * and are never in memory all at once: a key may have any number. */
typedef struct quern_values quern_values;
/* Gets a key and its values; emits any number of records. Values that it leaves are skipped. */
typedef void quern_group_fn(quern_slice key, quern_values *values, quern_out *out, void *arg);
/* Gets a key and its values in two sets; of one of them there may be none. Each can be gone through once, in
 * turns as well. */
typedef void quern_cogroup_fn(
	quern_slice key, quern_values *left, quern_values *right, quern_out *out, void *arg);
/* Gets a key and one value of each of two sets; emits any number of records. Of an outer join a value may be
 * NULL: that set does not have the key. */
typedef void quern_join_fn(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg);
/* Gets one record of each of two sets; emits any number. */
typedef void quern_cartesian_fn(quern_slice left_key, quern_slice left_value, quern_slice right_key,
	quern_slice right_value, quern_out *out, void *arg);
/* Compares two keys: < 0, 0 or > 0, as qsort() has it. Keys that are equal to it are equal. */
typedef int quern_compare_fn(quern_slice key_a, quern_slice key_b, void *arg);

/* Looks at a record that goes nowhere. */
typedef void quern_foreach_fn(quern_slice key, quern_slice value, void *arg);
/* Is called once for each partition, from 0 on, also if that is empty: takes its records with quern_next(),
 * all or as many as it likes, and emits any number. What it wants to know from one record to the next stays
 * in its variables. Where nobody wants more of what it makes (quern_take() has enough), or the task has
 * failed, it ends within quern_next() or quern_emit(): these do not return then, as quern_fail() does not, so
 * what it has allocated is lost to the worker process. It runs in a thread of its own, while the others wait.
 */
typedef void quern_partition_fn(uint32_t partition, quern_records *records, quern_out *out, void *arg);
/* Looks at a record and its number in the set, emits any number of records. */
typedef void quern_zip_fn(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg);
/* Chooses the partition of a key (empty, if the record has none), from 0 to partitions - 1; any other fails
 * the task. Must choose the same one each time. */
typedef uint32_t quern_partitioner_fn(quern_slice key, uint32_t partitions, void *arg);

/* ---- For use inside them ---- */

/* Takes the next of the values; borrowed until the next call. false: there is none left. */
bool quern_next_value(quern_values *values, quern_slice *value);
/* In a quern_partition_fn: takes the next record of the partition, which is borrowed until the next call.
 * false: there are no more. */
bool quern_next(quern_records *records, quern_slice *key, quern_slice *value);

/* Emits a record: it has a key, which may be empty. The bytes are copied. Does not fail: where there is no
 * room for the record the task ends as failed. */
void quern_emit(quern_out *out, quern_slice key, quern_slice value);
/* Emits a record without a key. For quern_reduce_by_key() all of those have the same, empty one. */
void quern_put(quern_out *out, quern_slice value);
/* Emits a key and a number: 8 bytes, little-endian; quern_as_u64() and friends read it back. */
void quern_emit_u64(quern_out *out, quern_slice key, uint64_t value);
void quern_emit_i64(quern_out *out, quern_slice key, int64_t value);
void quern_emit_double(quern_out *out, quern_slice key, double value);

/* Emits a key and a value made of two, of which either may be NULL: absent. What joins without a function
 * give. quern_left() and quern_right() take the value apart; `ptr` is NULL of one that is absent, and only
 * then. Any other value makes the record a bad one. */
void quern_pair(quern_out *out, quern_slice key, const quern_slice *left, const quern_slice *right);
quern_slice quern_left(quern_slice pair);
quern_slice quern_right(quern_slice pair);

/* Fails this attempt of the task with a text of printf's kind, one line of at most 1,000 bytes, to which is
 * added which record it was. Does not return, and frees nothing that the function has allocated. The task is
 * tried again. In quern_main() and what it calls: prints the text on stderr and ends the job. */
void quern_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Says that the record that the function was given is a bad one, in words as for quern_fail(), and does not
 * return. With `quern run --max-bad-records N` the job goes on without it, up to N of them (what was emitted
 * for it before stays, and what the function allocated is not freed); they are counted once for each task
 * that succeeds, and the first are shown at the end. Without, or when there are more, the job fails at once:
 * trying again would not help. So it does where there is no one record to be left out: in a function that
 * combines values (quern_reduce_by_key() and its like). Of a function that is given all values of a key, the
 * key is left out; of one that is given a partition (quern_map_partitions()), nothing. In quern_main() and
 * what it calls: as quern_fail(). */
void quern_bad_record(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The number in a value of 8 bytes, as quern_emit_u64() and friends make them; any other length makes the
 * record a bad one. */
uint64_t quern_as_u64(quern_slice value);
int64_t quern_as_i64(quern_slice value);
double quern_as_double(quern_slice value);

/* ---- Counting beside the records ----
 *
 * An accumulator is a number that the functions of tasks add to and that quern_main() reads after an action.
 * What a task adds counts exactly once, when it succeeds: attempts that fail, are repeated or are run twice
 * count nothing, and neither does a task that is run again because its output was lost. What is computed
 * again by a later action (without quern_persist()) counts again. */

/* A handle: it goes to functions by value, within `arg`. */
typedef struct quern_accumulator {
	uint32_t id, kind;
} quern_accumulator;

/* Make an accumulator that begins at 0, before the action that uses it; `name` (1 to 100 bytes) is for
 * people: `quern run -v` shows it at the end. A job may have 120; one that cannot be made is said on stderr,
 * and adding to it fails the task. */
quern_accumulator quern_accumulator_u64(quern_job *job, const char *name);
quern_accumulator quern_accumulator_i64(quern_job *job, const char *name);
quern_accumulator quern_accumulator_double(quern_job *job, const char *name);
/* Another kind: one of the known reductions, for instance quern_max_double. Before anything is added a
 * minimum is the greatest number of its type, a maximum the least. */
quern_accumulator quern_accumulator_by(quern_job *job, const char *name, quern_reduce_fn *reduction);

/* Add to one, in the function of a task, on the thread that it was called on. Elsewhere they do nothing.
 * Another type than the accumulator's fails the task. */
void quern_add_u64(quern_accumulator a, uint64_t n);
void quern_add_i64(quern_accumulator a, int64_t n);
void quern_add_double(quern_accumulator a, double n);

/* What an accumulator has come to with the actions so far, also those that failed. For quern_main(). Of
 * another type than the accumulator's: ends the job. */
uint64_t quern_total_u64(const quern_job *job, quern_accumulator a);
int64_t quern_total_i64(const quern_job *job, quern_accumulator a);
double quern_total_double(const quern_job *job, quern_accumulator a);

/* Counters are accumulators that need not be made: any task adds to one by its name (1 to 100 bytes,
 * "group:name" where there are groups). A job may have 120; one more fails it. The total is 0 where nothing
 * was added. */
void quern_counter_add(const char *name, int64_t n);
int64_t quern_counter_total(const quern_job *job, const char *name);

/* ---- Sources ---- */

/* The lines of text files: records without a key, whose value is a line without its newline (a '\r' before
 * that stays). Any bytes; at most 1 GiB each. The last line needs no newline. `path` is a file, a folder (the
 * files in it, in the order of their names, without those that begin with '.' or '_'; folders in it are an
 * error, or looked into with `quern run --recursive`), or a glob. It is in HDFS if it is a URL:
 * "hdfs://NAMENODE/PATH", or webhdfs:// and swebhdfs:// (WebHDFS over HTTP, over TLS). Otherwise it must be
 * readable under the same name where the driver is and on every agent. An action whose input is not there or
 * may not be read fails before anything runs.
 *
 * Files whose names end with .gz or .zst are decompressed (gzip; zstd, with windows of 128 MiB at most); one
 * that is something else, is cut short, or damaged fails the action. Large files are read in parts by several
 * tasks: plain ones anywhere, zstd between two frames. `zstd` makes one frame of a file, pzstd and
 * quern_save_text_compressed() make many, files put one after another have all of theirs. A gzip file is one
 * part, however large. In HDFS a part is a block, or some of it where there would be too few, and is read
 * where the block is if that can be had. */
quern_set *quern_text(quern_job *job, const char *path);

/* Key-value text: each line is split at the first `separator` (any string without a newline, 1 KiB at most;
 * it is copied): the key is what is before it, the value what is behind. A line without one is a key, with an
 * empty value. Files are those of quern_text(). */
quern_set *quern_text_pairs(quern_job *job, const char *path, const char *separator);

/* Files as wholes: a record for each, whose key is its absolute path, or URL, and whose value is what is in
 * it, decompressed; at most 1 GiB each, which the task's memory must have room for. `path` is that of
 * quern_text(). */
quern_set *quern_whole_files(quern_job *job, const char *path);

/* Records of `width` bytes each (1 to 64 MiB), without a key and with nothing between them, as
 * quern_save_raw() may write them. A file whose size is no multiple of `width` fails the action. `path` is
 * that of quern_text(); a compressed file is one part, however large. */
quern_set *quern_fixed(quern_job *job, const char *path, uint32_t width);

/* The records of files that quern_save_seq() wrote, with or without keys, as they were. `path` is that of
 * quern_text(); large files are read in parts by several tasks. A file that is something else, cut short, or
 * damaged fails the action. The types are written in the files, for other programs; here quern_typed() says
 * them. */
quern_set *quern_seq(quern_job *job, const char *path);

/* Records out of memory. They are copied now, and travel with each action: 15 MiB at most, more is a mistake
 * in the set. A task gets those of its own part alone. By default there are as many parts as there are cores
 * to be had.
 *
 * Of quern_lines_from() a record is a string, without a key. Of quern_records_from() one whose key.ptr is
 * NULL has no key. */
typedef struct quern_record {
	quern_slice key, value;
} quern_record;
quern_set *quern_lines_from(quern_job *job, const char *const *lines, size_t n);
quern_set *quern_records_from(quern_job *job, const quern_record *records, size_t n);

/* The numbers start, start + 1, ... end - 1, none if `end` is not greater: records without a key, their
 * values 8 bytes (quern_as_u64(), QUERN_U64). As many parts as there are cores to be had. */
quern_set *quern_range(quern_job *job, uint64_t start, uint64_t end);

/* A source (what a function above returned, before anything else is done with it) in other parts, and so in
 * as many tasks: of records in memory and ranges `pieces`, of files at least so many, however small they are.
 * Fewer where there are not so many records, or files that cannot be divided; at most 100,000. 0: as by
 * default. */
quern_set *quern_pieces(quern_set *set, uint32_t pieces);

/* ---- Transformations: each returns a new set, and leaves `set` as it was, for any number of others ---- */

/* One record for each: the one that `fn` emits, with the key that it emits, if any. The key of the old one is
 * gone, if `fn` (of _pairs: it sees the key) does not emit it again. */
quern_set *quern_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg);
quern_set *quern_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg);

/* Any number of records for each, none as well: those that `fn` emits. */
quern_set *quern_flat_map(quern_set *set, quern_map_fn *fn, const quern_slice *arg);
quern_set *quern_flat_map_pairs(quern_set *set, quern_map_pair_fn *fn, const quern_slice *arg);

/* The records for which `fn` says true, as they are. */
quern_set *quern_filter(quern_set *set, quern_filter_fn *fn, const quern_slice *arg);
quern_set *quern_filter_pairs(quern_set *set, quern_filter_pair_fn *fn, const quern_slice *arg);

/* One value for each, or any number: the keys stay, and their type; keys that `fn` emits do not count. */
quern_set *quern_map_values(quern_set *set, quern_map_fn *fn, const quern_slice *arg);
quern_set *quern_flat_map_values(quern_set *set, quern_map_fn *fn, const quern_slice *arg);

/* The records that `fn` emits, which sees a whole partition in one call: to prepare something dear once, or
 * to look at neighbours. */
quern_set *quern_map_partitions(quern_set *set, quern_partition_fn *fn, const quern_slice *arg);

/* A random part of the records: each with probability `fraction` (0 to 1); or with replacement, each so many
 * times as a Poisson distribution of mean `fraction` (0 to 1000) says. How many there will be is not exact.
 * The same `seed` takes the same records, as long as the set has the same ones in the same partitions. */
quern_set *quern_sample(quern_set *set, bool with_replacement, double fraction, uint64_t seed);

/* Every record once that is there at least once: keys and values are compared, as bytes, and a record without
 * a key is not the same as one with an empty one. In no order; moved by a shuffle. */
quern_set *quern_distinct(quern_set *set);

/* Gives each record its number: 0 for the first of the first partition, and so on through all of them. `fn`
 * NULL: the number becomes the key, of type QUERN_U64; else its records are the set's. Each action counts the
 * records of the partitions first, which computes `set` twice, unless it is persisted; but not again where an
 * earlier action has shuffled or persisted what became of them. The set must be the same both times: a task
 * that sees another number of records fails. */
quern_set *quern_zip_with_index(quern_set *set, quern_zip_fn *fn, const quern_slice *arg);

/* The same records in `n` partitions (1 to 1,000,000), of about one size: dealt out in turns and moved by a
 * shuffle. */
quern_set *quern_repartition(quern_set *set, uint32_t n);

/* The same records in fewer partitions: each of the `n` new ones is made of whole old ones, in their order,
 * so that quern_collect() gives the same as before. They are moved by a shuffle, so that what comes before
 * still runs in as many tasks as it did. If `set` has fewer than `n`, some of the new ones are empty. */
quern_set *quern_coalesce(quern_set *set, uint32_t n);

/* The same records in `n` partitions that `fn` chooses by their keys, those of one in the order in which the
 * input has them. `fn` NULL: by the hash of the keys; `n` may then be 0, as many as quern_reduce_by_key()
 * makes, records with equal keys are side by side, and one without a key gets an empty one. Joins with such a
 * set do not move it again. */
quern_set *quern_partition_by(quern_set *set, uint32_t n, quern_partitioner_fn *fn, const quern_slice *arg);

/* The same, each partition sorted by `order` (see quern_sort_by_key(): keys of a known type are compared as
 * numbers). No sample is taken, and there is no order from partition to partition. `n` is at least 1. */
quern_set *quern_partition_and_sort(
	quern_set *set, uint32_t n, quern_partitioner_fn *fn, const quern_slice *arg, unsigned order);

/* The records of `a`, then those of `b`: its partitions are those of both, nothing is moved, and what is
 * there twice stays so. Types stay where both have the same. */
quern_set *quern_union(quern_set *a, quern_set *b);

/* One record per key, its values combined by `fn`, first where they are made, then again after the shuffle.
 * In no order that could be relied on. What the shuffle has moved is kept until the job ends: a second action
 * on the same set (the same pointer, or a set made of it) begins there. */
quern_set *quern_reduce_by_key(quern_set *set, quern_reduce_fn *fn, const quern_slice *arg);

/* The same where the result of a key is something else than its values: `add` puts a value (its second) to a
 * result (its first, of which `zero` is the least there can be), `merge` makes one of two results. Both emit
 * exactly one with quern_put(); it must not matter how the values of a key are divided. `arg` is for both, a
 * copy for each. */
quern_set *quern_aggregate_by_key(quern_set *set, quern_slice zero, quern_reduce_fn *add,
	quern_reduce_fn *merge, const quern_slice *arg);

/* The same where both are one function: quern_reduce_by_key() with fn(zero, value) in the place of each
 * value. */
quern_set *quern_fold_by_key(quern_set *set, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg);

/* The same where a first result is made of each value by `create`, which emits it: quern_map_values() and
 * then quern_reduce_by_key(). */
quern_set *quern_combine_by_key(
	quern_set *set, quern_map_fn *create, quern_reduce_fn *merge, const quern_slice *arg);

/* How many records each key has (QUERN_U64). */
quern_set *quern_count_by_key(quern_set *set);

/* How many records have each value, whatever their keys: the value is the key, the number (QUERN_U64) its
 * value. */
quern_set *quern_count_by_value(quern_set *set);

/* The records in the order of their keys, over all partitions: the first has the least keys. Keys whose type
 * is known (quern_typed()) are compared as numbers, others as memcmp() does, the shorter one first. Records
 * with equal keys stay in the order in which the input has them, or are put in that of their values; a record
 * without a key gets an empty one. The first action on the set looks at a sample of the keys beforehand:
 * plain text is read in some places only, but whatever else comes before the sort is computed twice unless it
 * is persisted (quern_persist()). As with quern_reduce_by_key(), what was sorted once is kept. */
enum quern_order {
	QUERN_ASCENDING = 0,
	QUERN_DESCENDING = 1,    /* keys, and values if they count */
	QUERN_THEN_BY_VALUE = 2, /* may be added to either */
	QUERN_BY_VALUE =
		4 /* likewise, of quern_top() and quern_take_ordered() alone: values first, then keys */
};
quern_set *quern_sort_by_key(quern_set *set, unsigned order);

/* The same in an order of the job's own, whatever the keys are: as `compare` says, or the other way round
 * (QUERN_DESCENDING). It must be a total order; it is called in tasks, and in quern_main()'s process for the
 * sample, of which keys of more than 1,024 bytes are left out. Slower than quern_sort_by_key(), which is
 * asked for numbers by quern_typed(). */
quern_set *quern_sort_by(quern_set *set, quern_compare_fn *compare, unsigned order, const quern_slice *arg);

/* ---- Groups and joins ----
 *
 * They bring equal keys together as quern_reduce_by_key() does, but move every record, so prefer that one
 * where it can say the same. What they hold in memory does not depend on how many records a key has. A record
 * without a key counts as one with an empty key. Keys come in no order that could be relied on, values
 * neither.
 *
 * Both sets of a join go to as many partitions, by the same hash. A set that quern_reduce_by_key() returned,
 * and nothing else was done with, is read where it is: it is not moved again, if it is not divided in another
 * way than the other one by then (quern_partitions(), or an action). Any other set is moved once, for all the
 * groups and joins that it is in, if they can agree; and what quern_reduce_by_key() makes of a group or a
 * join is divided as that is, unless quern_partitions() says otherwise. So a loop that joins one set with
 * values that are new in each round moves only those. The two may be the same set. */

/* What `fn` emits for each key. */
quern_set *quern_group_by_key(quern_set *set, quern_group_fn *fn, const quern_slice *arg);

/* What `fn` emits for each key that either set has. */
quern_set *quern_cogroup(quern_set *left, quern_set *right, quern_cogroup_fn *fn, const quern_slice *arg);

/* What `fn` emits for each pair of a value on the left and one on the right whose keys are equal; without a
 * function (NULL): a record of the key and both values, see quern_pair(). Outer joins also have values on the
 * left (the right, either side) whose key the other side does not have, alone. Right values of a key are gone
 * over for each left one, and the task's scratch file takes those that do not fit the memory: put the set
 * with fewer values for a key on the right. */
quern_set *quern_join(quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg);
quern_set *quern_left_outer_join(
	quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg);
quern_set *quern_right_outer_join(
	quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg);
quern_set *quern_full_outer_join(
	quern_set *left, quern_set *right, quern_join_fn *fn, const quern_slice *arg);

/* The records on the left whose key the right set does not have. */
quern_set *quern_subtract_by_key(quern_set *left, quern_set *right);

/* Of whole records, keys and values: those of the left set that the right one does not have; and those that
 * both sets have, each once. A record without a key is another one than one with an empty key. */
quern_set *quern_subtract(quern_set *left, quern_set *right);
quern_set *quern_intersection(quern_set *a, quern_set *b);

/* What `fn` emits for each pair of a record on the left and one on the right. The pairs are those of the
 * cells of a grid, a task each: as many as there are partitions (quern_partitions(): by default few when the
 * inputs are small, however many pairs they make). About as many times as the square root of that is each
 * record moved. */
quern_set *quern_cartesian(quern_set *left, quern_set *right, quern_cartesian_fn *fn, const quern_slice *arg);

/* The same set divided into `partitions` (1 to 1,000,000: as many tasks, and files of output) by the shuffle
 * that makes it; only for what quern_reduce_by_key(), quern_sort_by_key(), a group or a join returned, before
 * anything else is done with it. By default there are as many as there are cores to be had, at most as many
 * as the stage before has tasks. */
quern_set *quern_partitions(quern_set *set, uint32_t partitions);

/* The records of each partition put in the order of their keys, within the task that has them: nothing is
 * shuffled, and the partitions stay as they are. `order`, and what is said of keys, as with
 * quern_sort_by_key(). More than fits the task's memory goes to its disk. */
quern_set *quern_sort_partitions(quern_set *set, unsigned order);

/* A new set of the same records, which are kept. The first action that computes one of its partitions to the
 * end leaves that in shared memory of the executor that did (not on disk); tasks of later actions begin there
 * instead of at the input or the shuffle, and go where the partition is. Persist what is dear to make and
 * used again: what comes after parsing, before a loop.
 *
 * Executors have a limit for it (`quern run --cache-memory`). At the limit the partitions that were not used
 * for longest give way, never for another one of their own set; at most 100 sets may be persisted within one
 * stage; a partition that finds no room, one that an executor took with it, and one that quern_take() left
 * half read, are computed again when they are needed: persist never changes what an action gives, as long as
 * functions give the same records for the same input and the input's files stay as they are. Files that are
 * there when an action begins are divided anew: partitions kept from another division are not used.
 *
 * QUERN_MEMORY_COMPRESSED (zstd) takes less memory and more time.
 *
 * quern_unpersist() gives the memory of what quern_persist() returned back, on all executors. Its set can
 * still be used, and is computed anew from then on. For any other set it does nothing. */
enum quern_storage { QUERN_MEMORY, QUERN_MEMORY_COMPRESSED };
quern_set *quern_persist(quern_set *set, enum quern_storage storage);
void quern_unpersist(quern_set *set);

/* Saves the set now, as quern_save_seq() would into folder `path`, compressed; and gives a set of the same
 * records that reads them from there, in the same partitions and order, with the same types: it no longer
 * depends on what it was made of. For loops whose graph would grow with each turn, and for what is dear and
 * must not get lost with an executor. When the saving fails, it says so, and the set that is returned is a
 * mistake. The folder stays. */
quern_set *quern_checkpoint(quern_set *set, const char *path);

/* Reductions that quern knows, and does without a call per record. Values are 8 bytes (quern_emit_u64() and
 * friends); one of another length fails the task. Sums of integers wrap around. The minimum and maximum of a
 * number and a NaN is the number. Sums of doubles depend on the order in their last digits. */
quern_reduce_fn quern_sum_u64, quern_min_u64, quern_max_u64;
quern_reduce_fn quern_sum_i64, quern_min_i64, quern_max_i64;
quern_reduce_fn quern_sum_double, quern_min_double, quern_max_double;

/* What keys and values are: bytes, or numbers of 8 bytes (another length fails the task). quern_save_text()
 * prints them as decimal numbers then, quern_sort_by_key() compares them so. Changes nothing else. The known
 * reductions set the value's type by themselves; filters keep both types; other reductions keep those of what
 * they reduce; maps set both back to QUERN_BYTES. */
enum quern_type { QUERN_BYTES, QUERN_U64, QUERN_I64, QUERN_DOUBLE };
quern_set *quern_typed(quern_set *set, enum quern_type key, enum quern_type value);

/* The tasks that compute this set need so many cores and so much memory, where it is not what `quern run`
 * says
 * (--task-cores, --task-memory); 0: that will do. Of all the sets that one stage computes the most counts; a
 * stage begins where records are read, or come out of a shuffle. In fine mode a task then is of that size, in
 * coarse mode it takes as many slots as cover it. A task that no agent has room for fails the action, after
 * --max-registered-wait. quern_reduce_by_key() of large tables is where it helps:
 *
 *     quern_set *counts = quern_resources(quern_reduce_by_key(words, quern_sum_u64, NULL), 2, 4096);
 */
quern_set *quern_resources(quern_set *set, double cores, uint32_t memory_mb);

/* ---- External commands ---- */

/* What an external command makes of the records: `sh -c command` runs once in each task, also in one that has
 * no records. A record goes to its standard input as a line, as quern_save_text() would write it:
 * "key<TAB>value" or, of one without a key, the value alone, numbers of a known type (quern_typed()) in
 * decimal; the lines of its standard output, without their newlines, are the records of the new set: values
 * without keys. Nothing is escaped: a record that has a newline in it arrives as several. Any bytes; a line
 * has at most 1 GiB.
 *
 * The command may end before it has read everything. A status other than 0, or a signal, fails the attempt
 * with what the command printed last on its standard error. It has ended when the shell has, and its
 * standard output is closed. It dies with the task, and with it what it has started, unless that left its
 * process group.
 *
 * Its standard error goes where that of the job's functions goes, but for lines that Hadoop Streaming knows:
 * "reporter:counter:GROUP,NAME,N" adds N, which may be negative, to the counter "GROUP:NAME"
 * (quern_counter_add()); "reporter:status:TEXT" says what it is at, which is shown if it fails.
 *
 * It runs in the folder of the job's files (quern_file_path()), which it shares with other tasks; $TMPDIR is
 * its own. It sees QUERN_STAGE, QUERN_TASK_PARTITION (the task's number in its stage, from 0) and
 * QUERN_TASK_ATTEMPT; the last two also by Hadoop's names, mapreduce_task_partition and
 * mapreduce_task_attempt_id; and of an input that is one file, or a part of one, mapreduce_map_input_file,
 * mapreduce_map_input_start and mapreduce_map_input_length (bytes). */
quern_set *quern_pipe(quern_set *set, const char *command);

/* What may be different. All zero: nothing is. */
struct quern_pipe_options {
	bool values;               /* it gets values alone, whether they have keys or not */
	const char *separator;     /* between key and value of its input; NULL: a tab. 1 to 16 bytes */
	uint32_t key_fields;       /* so many fields of a line that it prints are the key, what is behind the
				      separator after them is the value; a line that has no more fields is a key
				      with an empty value. 0: a line is a value without a key */
	const char *key_separator; /* of those fields; NULL: a tab */
	const char *const *environment; /* "NAME=value", for it to see as well; NULL at the end. NULL: none */
};
quern_set *quern_pipe_with(quern_set *set, const char *command, const struct quern_pipe_options *options);

/* ---- Actions ----
 *
 * They run what the set stands for, to its end. 0; or non-zero when that failed: the reason was printed,
 * once: return it from quern_main(). Outputs are as they were then. One at a time: an action within the
 * function of another fails. */

/* Writes folder `path`, which must not exist (in HDFS if it is a URL: see quern_text()): a file part-NNNNN
 * for each partition, with a line per record, "key<TAB>value" or, of a record without a key, the value alone;
 * at last an empty file _SUCCESS. Of lines, and whatever else can have no keys, the values alone, also when a
 * shuffle has given them empty ones. Nothing is escaped. When the action fails, nothing of the folder is
 * left. */
int quern_save_text(quern_set *set, const char *path);

/* The same, compressed: part-NNNNN.gz (gzip -4) or part-NNNNN.zst (zstd -3, with checksums, a frame for every
 * 8 MiB of text), which gzip -d, zstd -d and quern_text() read. zstd is several times as fast, and what it
 * writes is read by as many tasks as are worth it. */
enum quern_codec { QUERN_PLAIN, QUERN_GZIP, QUERN_ZSTD };
int quern_save_text_compressed(quern_set *set, const char *path, enum quern_codec codec);

/* Writes a folder like that of quern_save_text() in which the bytes of keys and values are one behind the
 * other, without separators or newlines, of every record the key (if it has one) and the value: part-NNNNN,
 * or .gz or .zst. Records of one width are read again by quern_fixed(). */
int quern_save_raw(quern_set *set, const char *path, enum quern_codec codec);

/* Writes a folder like that of quern_save_text() with the records as they are, for quern_seq():
 * part-NNNNN.seq, in a binary format with checksums (docs/seq-format.md). QUERN_PLAIN, or QUERN_ZSTD, which
 * also can be read by several tasks; not QUERN_GZIP. */
int quern_save_seq(quern_set *set, const char *path, enum quern_codec codec);

/* How many records there are. */
int quern_count(quern_set *set, uint64_t *ret);

/* Gets a record, in quern_main()'s process; `key` is empty when the record has none. Non-zero ends the
 * action, which returns that. */
typedef int quern_each_fn(quern_slice key, quern_slice value, void *arg);

/* Gives every record to `each`, partition by partition in their order: lines come in the order of the input.
 * `arg` is passed on. A partition's records may be 63 MiB at most. A task that fails is tried again before
 * any record of it is given; when the action fails in the end, `each` may have seen some partitions. */
int quern_collect(quern_set *set, quern_each_fn *each, void *arg);

/* The same for the first `n` records, running as few tasks as it takes: the first partition, then four times
 * as many, and so on. Fewer than `n` when there are fewer. */
int quern_take(quern_set *set, uint64_t n, quern_each_fn *each, void *arg);

/* Calls `fn` for each record, on the cluster, and gives nothing back: for what it does elsewhere. A task that
 * is tried again calls it again. */
int quern_foreach(quern_set *set, quern_foreach_fn *fn, const quern_slice *arg);

/* The same for whole partitions. What `fn` emits goes nowhere. */
int quern_foreach_partition(quern_set *set, quern_partition_fn *fn, const quern_slice *arg);

/* ---- Actions that make one value of all, or pick a few ---- */

/* Combines all values of the set to one, whatever their keys, by `fn` (see quern_reduce_fn): each task those
 * of its partition, and then quern_main()'s process what the tasks have, with the same `fn` and a copy of
 * `arg` of its own. Gives it to `result`, without a key; its return is the action's. A set without records
 * gives nothing, and `result` is not called. */
int quern_reduce(
	quern_set *set, quern_reduce_fn *fn, const quern_slice *arg, quern_each_fn *result, void *result_arg);

/* The same, from `zero` on, which is given when there are no records. `zero` must change nothing: fn(zero, x)
 * is x. */
int quern_fold(quern_set *set, quern_slice zero, quern_reduce_fn *fn, const quern_slice *arg,
	quern_each_fn *result, void *result_arg);

/* The same where the result is something else than a value: `add` puts a value (its second) to a result (its
 * first, of which `zero` is the least there can be), `merge` makes one of two results. Both emit exactly one
 * result with quern_put(). It must not matter how the values are divided. */
int quern_aggregate(quern_set *set, quern_slice zero, quern_reduce_fn *add, quern_reduce_fn *merge,
	const quern_slice *arg, quern_each_fn *result, void *result_arg);

/* What is to be known of values that are numbers (quern_typed(), or what a known reduction made). Of none:
 * count 0, sum 0, and NaNs. Numbers are computed with as doubles. */
struct quern_stats {
	uint64_t count;
	double sum, mean, min, max;
	double squares; /* sum of the squares of the differences from the mean: divided by `count` the
			   variance */
};
int quern_stats(quern_set *set, struct quern_stats *ret);

/* Gives the first `n` records in an order to `each`, in that order: see quern_sort_by_key(), and
 * QUERN_BY_VALUE. Of records that are equal in it, those that come first in the set. Nothing is moved or
 * sorted but they: each task keeps no more than `n`, which must fit into half of its memory, and into 63 MiB.
 */
int quern_take_ordered(quern_set *set, uint64_t n, unsigned order, quern_each_fn *each, void *arg);

/* The same in the opposite order: quern_top(counts, 10, QUERN_BY_VALUE, each, NULL) gives the ten greatest
 * counts, the greatest first. */
int quern_top(quern_set *set, uint64_t n, unsigned order, quern_each_fn *each, void *arg);

/* The first record of the set, quern_take() of one: `each` is not called when there is none. */
int quern_first(quern_set *set, quern_each_fn *each, void *arg);

/* Whether there is no record, looking at as few as it takes. */
int quern_is_empty(quern_set *set, bool *ret);

/* ---- Shared values ---- */

/* Bytes that every task may read, however many there are: they go to each executor once, from one to another
 * when many want them, and its tasks all read the same memory. What is small goes into `arg` just as well.
 * The handle is a value: it travels to functions in their QUERN_ARG(), alone or in a struct.
 *
 *     struct near { quern_broadcast_t centers; uint32_t n; } arg = { quern_broadcast(job, bytes), n };
 *     quern_set *nearest = quern_map(points, nearest_center, QUERN_ARG(arg));
 *
 * quern_broadcast() copies `data`, and is for quern_main() alone, not for functions that an action calls;
 * what goes wrong is a quern_fail(). quern_broadcast_value() gives the bytes, in tasks and in quern_main(),
 * aligned for any type and not to be written; they stay until the function returns that runs in a task, in
 * quern_main() until the broadcast is destroyed.
 *
 * quern_broadcast_destroy() gives their memory back everywhere, for when no more action will need them; a
 * task that asks for them afterwards fails. Sets that were computed with their help may have to be computed
 * again: when an executor is lost, or where nothing was persisted. */
typedef struct quern_broadcast_t {
	uint32_t id; /* 0: none */
} quern_broadcast_t;
quern_broadcast_t quern_broadcast(quern_job *job, quern_slice data);
quern_slice quern_broadcast_value(quern_broadcast_t broadcast);
void quern_broadcast_destroy(quern_job *job, quern_broadcast_t broadcast);

/* The path of a file that came with the job (`quern run --files`), by its name: in a function that runs in a
 * task the copy on that machine, in quern_main() the file itself. Only to be read. It stays valid as long as
 * the process runs. A name that did not come is a quern_fail(). The files lie in the working directory of
 * functions in tasks, so that a program that they start finds them as ./NAME. */
const char *quern_file_path(const char *name);

/* ---- Written by the user ---- */

/* The job. argv[0] is its name; argv[1] to argv[argc - 1] are the arguments behind it on the command line;
 * argv[argc] is NULL. Return 0, what an action returned, or 1 after saying why on stderr: `quern run` ends
 * with 0, or 1. It may run any number of actions, in loops as well, and do anything else that a program may.
 */
int quern_main(quern_job *job, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
