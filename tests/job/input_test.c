#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "base/buf.h"
#include "job/records.h"
#include "job/source_splits.h"
#include "base/random.h"
#include "tests/job/kit.h"

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
	return random_next(&random_state) % n;
}

/* A file of this size, without its bytes being anywhere. */
static void make_file(const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(close(fd), 0);
}

static struct input_splits split(const char *path, const struct input_config *config)
{
	struct input_splits s = { 0 };
	struct err err = { "" };

	if (input_splits((char *const[]){ (char *)path }, 1, config, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void assert_refused(const char *path, int code, const char *words)
{
	const struct input_config config = { 0 };
	struct input_splits s = { 0 };
	struct err err = { "" };

	assert_int_equal(input_splits((char *const[]){ (char *)path }, 1, &config, &s, &err), code);
	if (strstr(err.text, words) == NULL || strchr(err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, err.text);
	assert_null(s.at);
}

/* The paths of the extents, one after another, without the folder. */
static void assert_files(const struct input_splits *s, const char *dir, const char *wanted)
{
	char found[4096] = "";
	size_t len = strlen(dir) + 1;

	for (size_t i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->at[i]->n_extents; j++) {
			const char *path = s->at[i]->extents[j]->path;

			assert_memory_equal(path, dir, len - 1);
			(void)strcat(strcat(found, path + len), " ");
		}
	assert_string_equal(found, wanted);
}

/* ---- Which files ---- */

static void a_folder_gives_its_files_in_the_order_of_their_names(void **state)
{
	const struct input_config config = { 0 };

	for (const char *const *name = (const char *const[]){ "b", "a", "B", "10", "9", ".hidden", "_SUCCESS",
		     "a.b", "\xc3\xa9", NULL };
		*name != NULL; name++)
		kit_write(kit_path(*state, "%s", *name), "x");
	make_file(kit_path(*state, "empty"), 0);
	struct input_splits s = split(*state, &config);
	assert_files(&s, *state, "10 9 B a a.b b \xc3\xa9 ");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.files, 8);
	assert_int_equal(s.bytes, 7);
	input_splits_deinit(&s);

	s = split(kit_path(*state, "%s", ""), &config); /* with a slash at its end */
	assert_int_equal(s.files, 8);
	input_splits_deinit(&s);
}

static void a_glob_gives_what_matches_and_the_files_of_folders(void **state)
{
	const struct input_config config = { 0 };

	assert_int_equal(mkdir(kit_path(*state, "d1"), 0700), 0);
	assert_int_equal(mkdir(kit_path(*state, "_d2"), 0700), 0);
	for (const char *const *name = (const char *const[]){ "d1/z", "d1/y", "d1/.h", "_d2/x", "d10", "d0",
		     "d*", "_d", NULL };
		*name != NULL; name++)
		kit_write(kit_path(*state, "%s", *name), "x");
	struct input_splits s = split(kit_path(*state, "*d[01]*"), &config);
	assert_files(&s, *state, "d0 d1/y d1/z d10 ");
	input_splits_deinit(&s);
	s = split(kit_path(*state, "*/[x-z]"), &config);
	assert_files(&s, *state, "_d2/x d1/y d1/z ");
	input_splits_deinit(&s);
	/* A file that is called so is no glob. */
	s = split(kit_path(*state, "d*"), &config);
	assert_files(&s, *state, "d* ");
	input_splits_deinit(&s);
	/* What is named is taken, hidden or not. */
	s = split(kit_path(*state, "d1/.h"), &config);
	assert_files(&s, *state, "d1/.h ");
	input_splits_deinit(&s);
}

static void several_paths_stay_in_their_order(void **state)
{
	const struct input_config config = { 0 };
	struct input_splits s = { 0 };
	struct err err = { "" };

	kit_write(kit_path(*state, "a"), "x");
	kit_write(kit_path(*state, "b"), "y");
	char *const paths[] = { (char *)kit_path(*state, "b"), (char *)kit_path(*state, "?"),
		(char *)kit_path(*state, "b") };
	assert_int_equal(input_splits(paths, 3, &config, &s, &err), 0);
	assert_files(&s, *state, "b a b b ");
	input_splits_deinit(&s);
}

static void paths_become_absolute(void **state)
{
	const struct input_config config = { 0 };
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	kit_write(kit_path(*state, "a"), "x");
	assert_int_equal(chdir(*state), 0);
	struct input_splits s = split("a", &config);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
	assert_files(&s, *state, "a ");
	input_splits_deinit(&s);
}

static void what_cannot_be_read_is_an_error_that_names_it(void **state)
{
	assert_refused(kit_path(*state, "none"), -ENOENT, "/none': No such file");
	assert_refused(kit_path(*state, "none*"), -ENOENT, "/none*': No such file");
	assert_refused(kit_path(*state, "none/*/x"), -ENOENT, "/none/*/x': No such file");
	kit_write(kit_path(*state, "_a"), "x");
	assert_refused(kit_path(*state, "_*"), -ENOENT, "begin with");
	assert_refused(kit_path(*state, "_a/b"), -ENOTDIR, "/_a/b': Not a directory");
	assert_int_equal(mkfifo(kit_path(*state, "fifo"), 0600), 0);
	assert_refused(kit_path(*state, "fifo"), -EINVAL, "/fifo' is neither a file");
	assert_int_equal(mkdir(kit_path(*state, "d"), 0700), 0);
	assert_int_equal(mkdir(kit_path(*state, "d/e"), 0700), 0);
	assert_refused(kit_path(*state, "d"), -EINVAL, "d/e' is a folder within");
	assert_refused(kit_path(*state, "d*"), -EINVAL, "d/e' is a folder within");
	assert_int_equal(rmdir(kit_path(*state, "d/e")), 0);
	assert_int_equal(symlink("nowhere", kit_path(*state, "d/link")), 0);
	assert_refused(kit_path(*state, "d"), -ENOENT, "d/link': No such file");
}

static void what_may_not_be_read_is_an_error_before_anything_runs(void **state)
{
	const char *path = kit_path(*state, "closed"), *folder = kit_path(*state, "folder");

	if (geteuid() == 0) {
		/* For root nothing is closed: become somebody else for as long as this test takes. */
		assert_int_equal(chmod(*state, 0777), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	kit_write(path, "x");
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(mkdir(folder, 0), 0);
	assert_refused(path, -EACCES, "closed': Permission denied");
	assert_refused(folder, -EACCES, "folder': Permission denied");
	assert_refused(kit_path(*state, "folder/x"), -EACCES, "folder/x': Permission denied");
	assert_refused(kit_path(*state, "folder/*"), -EACCES, "Permission denied");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* ---- How they are cut ---- */

/* Every byte of every file is in exactly one extent, in order, and no extent or split is for nothing. */
static void assert_covered(const struct input_splits *s, const char *dir, const uint64_t *sizes, size_t n)
{
	uint64_t offset = 0, bytes = 0;
	size_t file = 0;
	char path[KIT_PATH];

	for (size_t i = 0; i < n; i++)
		bytes += sizes[i];
	assert_int_equal(s->bytes, bytes);
	assert_int_equal(s->files, n);
	for (size_t i = 0; i < s->n; i++) {
		assert_true(s->at[i]->n_extents > 0 || (s->n == 1 && bytes == 0));
		for (size_t j = 0; j < s->at[i]->n_extents; j++) {
			const Quern__Extent *e = s->at[i]->extents[j];

			for (; file < n && offset == sizes[file]; offset = 0)
				file++;
			assert_true(file < n);
			(void)snprintf(path, sizeof(path), "%s/f%05zu", dir, file);
			assert_string_equal(e->path, path);
			assert_int_equal(e->offset, offset);
			assert_true(e->length > 0 && e->length <= sizes[file] - offset);
			offset += e->length;
		}
	}
	for (; file < n && offset == sizes[file]; offset = 0)
		file++;
	assert_int_equal(file, n);
}

static uint64_t split_bytes(const Quern__Split *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->n_extents; i++)
		bytes += s->extents[i]->length;
	return bytes;
}

static uint64_t largest(const struct input_splits *s)
{
	uint64_t max = 0;

	for (size_t i = 0; i < s->n; i++)
		if (split_bytes(s->at[i]) > max)
			max = split_bytes(s->at[i]);
	return max;
}

/* Files of any sizes, cut to any measure. */
static void every_byte_is_in_exactly_one_extent(void **state)
{
	enum { ROUNDS = 100, FILES_MAX = 30 };
	uint64_t sizes[FILES_MAX];

	random_state = 1;
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = 1 + random_below(FILES_MAX);
		const char *dir = kit_path(*state, "r%d", round);

		assert_int_equal(mkdir(dir, 0700), 0);
		for (size_t i = 0; i < n; i++) {
			sizes[i] = random_below(3) == 0 ? 0 : random_below((uint64_t)1 << random_below(28));
			make_file(kit_path(dir, "f%05zu", i), sizes[i]);
		}
		const struct input_config config = {
			.target_bytes = random_below(4) == 0
						? 0
						: 4096 + random_below((uint64_t)1 << random_below(25)),
			.parallelism = random_below(4) == 0 ? 0 : (uint32_t)random_below(200),
		};
		struct input_splits s = split(dir, &config);
		assert_covered(&s, dir, sizes, n);
		uint64_t target = config.target_bytes != 0 ? config.target_bytes : INPUT_TARGET;
		assert_true(largest(&s) <= target);
		assert_true(s.n >= config.parallelism || s.bytes / (config.parallelism + 1) < INPUT_MIN);
		input_splits_deinit(&s);
	}
}

static void an_empty_input_is_one_empty_split(void **state)
{
	const struct input_config config = { .parallelism = 8 };

	make_file(kit_path(*state, "f00000"), 0);
	make_file(kit_path(*state, "f00001"), 0);
	struct input_splits s = split(*state, &config);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.at[0]->n_extents, 0);
	assert_int_equal(s.files, 2);
	input_splits_deinit(&s);

	assert_int_equal(mkdir(kit_path(*state, "nothing"), 0700), 0);
	s = split(kit_path(*state, "nothing"), &config);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.files, 0);
	input_splits_deinit(&s);
}

static void a_file_is_cut_into_equal_parts_for_every_core(void **state)
{
	const struct input_config config = { .parallelism = 7 };

	make_file(kit_path(*state, "f00000"), 1000003);
	struct input_splits s = split(*state, &config);
	assert_int_equal(s.n, 7);
	for (size_t i = 0; i < s.n; i++)
		assert_in_range(split_bytes(s.at[i]), 1000003 / 7, 1000003 / 7 + 1);
	input_splits_deinit(&s);

	/* Not for less than is worth a task. */
	make_file(kit_path(*state, "f00000"), 3 * INPUT_MIN);
	s = split(*state, &config);
	assert_int_equal(s.n, 3);
	input_splits_deinit(&s);
}

static void many_small_files_are_few_tasks(void **state)
{
	enum { FILES = 5000 };
	static uint64_t sizes[FILES];

	random_state = 2;
	for (size_t i = 0; i < FILES; i++) {
		sizes[i] = random_below(200);
		make_file(kit_path(*state, "f%05zu", i), sizes[i]);
	}
	struct input_splits s = split(*state, &(const struct input_config){ .parallelism = 4 });
	assert_covered(&s, *state, sizes, FILES);
	assert_in_range(s.n, 4, 8);
	size_t most = 0;
	for (size_t i = 0; i < s.n; i++)
		most = s.at[i]->n_extents > most ? s.at[i]->n_extents : most;
	assert_in_range(most, FILES / 8, FILES / 2); /* nobody gets most of the work */
	input_splits_deinit(&s);
}

static void there_are_never_too_many_splits(void **state)
{
	const uint64_t sizes[] = { 5, (uint64_t)7 << 40, 17, (uint64_t)3 << 40 };
	const struct input_config config = { .target_bytes = 1 << 20, .parallelism = UINT32_MAX };

	for (size_t i = 0; i < 4; i++)
		make_file(kit_path(*state, "f%05zu", i), sizes[i]);
	struct input_splits s = split(*state, &config);
	assert_covered(&s, *state, sizes, 4);
	assert_in_range(s.n, INPUT_SPLITS_MAX / 2, INPUT_SPLITS_MAX);
	input_splits_deinit(&s);
}

/* ---- Formats ---- */

static void assert_refused_as(const char *path, struct input_config config, const char *words)
{
	struct input_splits s = { 0 };
	struct err err = { "" };

	assert_true(input_splits((char *const[]){ (char *)path }, 1, &config, &s, &err) < 0);
	if (strstr(err.text, words) == NULL || strstr(err.text, path) == NULL ||
		strchr(err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, err.text);
	assert_null(s.at);
}

static void what_is_asked_for_is_a_number_of_pieces(void **state)
{
	const uint64_t sizes[] = { 1000, 5, 0, 3000 };
	const struct input_config config = { .parallelism = 2, .pieces = 10 },
				  one = { .parallelism = 9, .pieces = 1 };

	for (size_t i = 0; i < 4; i++)
		make_file(kit_path(*state, "f%05zu", i), sizes[i]);
	struct input_splits s = split(*state, &config);
	assert_covered(&s, *state, sizes, 4);
	assert_in_range(s.n, 10, 13);
	input_splits_deinit(&s);
	s = split(*state, &one);
	assert_int_equal(s.n, 1);
	input_splits_deinit(&s);
}

static void some_files_are_one_extent(void **state)
{
	const uint64_t sizes[] = { 0, 100 << 20, 7, 300 << 20 };
	const struct input_config whole = { .parallelism = 9, .format = QUERN__SOURCE__FORMAT__WHOLE },
				  each = { .format = QUERN__SOURCE__FORMAT__SEQ, .file_each = true };

	for (size_t i = 1; i < 4; i++)
		make_file(kit_path(*state, "f%05zu", i), sizes[i]);
	struct input_splits s = split(*state, &each);
	assert_int_equal(s.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s.at[i]->n_extents, 1);
		assert_int_equal(s.at[i]->extents[0]->length, sizes[i + 1]);
	}
	input_splits_deinit(&s);
	/* An empty one is a record as well. */
	make_file(kit_path(*state, "f00000"), 0);
	s = split(*state, &whole);
	size_t extents = 0;
	for (size_t i = 0; i < s.n; i++)
		for (size_t k = 0; k < s.at[i]->n_extents; k++) {
			assert_int_equal(s.at[i]->extents[k]->offset, 0);
			assert_int_equal(s.at[i]->extents[k]->length, sizes[extents++]);
		}
	assert_int_equal(extents, 4);
	input_splits_deinit(&s);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	const struct input_config whole = { .format = QUERN__SOURCE__FORMAT__WHOLE },
				  fixed = { .format = QUERN__SOURCE__FORMAT__FIXED, .width = 8 },
				  seq = { .format = QUERN__SOURCE__FORMAT__SEQ };
	const char *file = kit_path(*state, "file"), *packed = kit_path(*state, "file.gz");

	make_file(file, ((uint64_t)1 << 30) + 1);
	make_file(packed, 13);
	assert_refused_as(file, whole, "1073741825 bytes are more than");
	assert_refused_as(file, fixed, "no whole number of records of 8 bytes");
	make_file(file, 0);
	assert_refused_as(file, seq, "is empty, as no seq file is");
	assert_refused_as(packed, seq, "decompress it");
	struct input_splits s = split(packed, &fixed); /* of what is in it nothing is known */
	assert_int_equal(s.n, 1);
	input_splits_deinit(&s);
}

/* ---- Memory ---- */

static struct input_splits split_source(const Quern__Source *source, uint32_t parallelism)
{
	const struct input_config config = { .parallelism = parallelism };
	struct input_splits s = { 0 };
	struct err err = { "" };

	if (source_splits(source, &config, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* As many splits as are wanted, of about one size, which are the records in their order. */
static void records_are_cut_between_records(void **state)
{
	auto_buf struct buf all = BUF_INIT(SIZE_MAX);
	Quern__Source source = QUERN__SOURCE__INIT;

	(void)state;
	source.has_records = true;
	for (uint32_t n = 0; n < 12; n++) {
		for (uint32_t pieces = 0; pieces < 20; pieces++) {
			auto_buf struct buf put = BUF_INIT(SIZE_MAX);

			source.records.data = all.data;
			source.records.len = all.len;
			source.pieces = pieces;
			struct input_splits s = split_source(&source, 5);
			uint32_t wanted = pieces > 0 ? pieces : 5;
			assert_int_equal(s.n, wanted < n ? wanted : n > 0 ? n : 1);
			for (size_t i = 0; i < s.n; i++) {
				const uint8_t *p = s.at[i]->records.data, *end = p + s.at[i]->records.len;
				quern_slice key, value;
				size_t records = 0;

				assert_int_equal(buf_add(&put, p, (size_t)(end - p)), 0);
				while (record_next_optional(&p, end, &key, &value) > 0)
					records++;
				assert_ptr_equal(p, end);
				assert_in_range(records, n / s.n, n / s.n + 1);
			}
			assert_int_equal(put.len, all.len);
			if (all.len > 0)
				assert_memory_equal(put.data, all.data, all.len);
			input_splits_deinit(&s);
		}
		assert_int_equal(
			record_put_optional(&all, quern_bytes(NULL, 0), quern_bytes("0123456789", n)), 0);
	}
}

static void large_records_are_many_splits(void **state)
{
	static uint8_t zeros[10 << 20];
	Quern__Source source = QUERN__SOURCE__INIT;

	(void)state;
	source.has_records = true; /* half as many records, all empty */
	source.records = (ProtobufCBinaryData){ .data = zeros, .len = sizeof(zeros) };
	struct input_splits s = split_source(&source, 2);
	assert_int_equal(s.n, 11);
	input_splits_deinit(&s);
}

static void ranges_are_cut(void **state)
{
	Quern__Range range = QUERN__RANGE__INIT;
	Quern__Source source = QUERN__SOURCE__INIT;

	(void)state;
	source.range = &range;
	for (uint64_t n = 0; n < 40; n++)
		for (uint32_t pieces = 0; pieces < 9; pieces++) {
			range.start = UINT64_MAX - n;
			range.end = UINT64_MAX;
			source.pieces = pieces;
			struct input_splits s = split_source(&source, 7);
			uint64_t at = range.start, wanted = pieces > 0 ? pieces : 7;

			assert_int_equal(s.n, wanted < n ? wanted : n > 0 ? n : 1);
			for (size_t i = 0; i < s.n; i++) {
				assert_int_equal(s.at[i]->range->start, at);
				at = s.at[i]->range->end;
			}
			assert_int_equal(at, range.end);
			input_splits_deinit(&s);
		}
	range.start = 5;
	range.end = 3;
	struct input_splits s = split_source(&source, 7);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.at[0]->range->start, s.at[0]->range->end);
	input_splits_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(a_folder_gives_its_files_in_the_order_of_their_names),
		kit_test(a_glob_gives_what_matches_and_the_files_of_folders),
		kit_test(several_paths_stay_in_their_order),
		kit_test(paths_become_absolute),
		kit_test(what_cannot_be_read_is_an_error_that_names_it),
		kit_test(what_may_not_be_read_is_an_error_before_anything_runs),
		kit_test(every_byte_is_in_exactly_one_extent),
		kit_test(an_empty_input_is_one_empty_split),
		kit_test(a_file_is_cut_into_equal_parts_for_every_core),
		kit_test(many_small_files_are_few_tasks),
		kit_test(there_are_never_too_many_splits),
		kit_test(what_is_asked_for_is_a_number_of_pieces),
		kit_test(some_files_are_one_extent),
		kit_test(sizes_that_cannot_be_are_refused),
		kit_test(records_are_cut_between_records),
		kit_test(large_records_are_many_splits),
		kit_test(ranges_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
