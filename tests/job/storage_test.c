/* Input that is not on the local disk: where it is comes from a storage, which here is a table of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fnmatch.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/random.h"
#include "job/input.h"
#include "tests/job/kit.h"

enum { MB = 1 << 20, BLOCK = 128 * MB, FILES = 200 };

/* ---- The storage ---- */

struct fake_file {
	const char *path;
	uint64_t size;
	bool folder;
	uint64_t id;       /* of a folder; 0: it has one name */
	const char *hosts; /* of its blocks, from the first on again and again: "a,b|c" */
	uint64_t block;    /* 0: BLOCK */
	const char *data;  /* NULL: nobody reads it */
};

struct fake {
	const struct fake_file *files;
	size_t n;
	unsigned located;   /* calls */
	unsigned opened;    /* files that are */
	const char *refuse; /* may not be read */
};

static bool fake_has(const char *path)
{
	return strncmp(path, "fake://", 7) == 0;
}

static bool fake_is_glob(const char *path)
{
	return strchr(path, '*') != NULL;
}

static struct storage_entry entry(const struct fake_file *f)
{
	char *path = strdup(f->path);

	assert_non_null(path);
	return (struct storage_entry){ .path = path,
		.kind = f->folder ? STORAGE_FOLDER : STORAGE_FILE,
		.size = f->size,
		.block = f->block != 0 ? f->block : BLOCK,
		.id = f->id };
}

static const struct fake_file *find(const struct fake *fake, const char *path)
{
	for (size_t i = 0; i < fake->n; i++)
		if (strcmp(fake->files[i].path, path) == 0)
			return &fake->files[i];
	return NULL;
}

static int fake_stat(void *arg, const char *path, struct storage_entry *ret, struct err *err)
{
	const struct fake_file *f = find(arg, path);

	if (f == NULL)
		return err_set(err, -ENOENT, "%s: it is not there", path);
	*ret = entry(f);
	return 0;
}

/* In no particular order. */
static int fake_list(void *arg, const char *folder, struct storage_entries *ret, struct err *err)
{
	const struct fake *fake = arg;
	size_t len = strlen(folder);

	(void)err;
	for (size_t i = fake->n; i-- > 0;) {
		const char *path = fake->files[i].path;

		if (strncmp(path, folder, len) == 0 && path[len] == '/' &&
			strchr(path + len + 1, '/') == NULL)
			assert_int_equal(vec_push(ret, entry(&fake->files[i])), 0);
	}
	return 0;
}

static int fake_glob(void *arg, const char *pattern, struct storage_entries *ret, struct err *err)
{
	const struct fake *fake = arg;

	(void)err;
	for (size_t i = fake->n; i-- > 0;)
		if (fnmatch(pattern, fake->files[i].path, FNM_PATHNAME) == 0)
			assert_int_equal(vec_push(ret, entry(&fake->files[i])), 0);
	return 0;
}

/* "a,b" up to a '|' or the end. */
static void add_hosts(struct storage_block *b, const char *hosts)
{
	b->hosts = calloc(16, sizeof(*b->hosts));
	assert_non_null(b->hosts);
	for (;;) {
		size_t len = strcspn(hosts, ",|");

		if (len > 0)
			b->hosts[b->n_hosts++] = strndup(hosts, len);
		if (hosts[len] != ',')
			return;
		hosts += len + 1;
	}
}

static int fake_locate(
	void *arg, const char *const *paths, size_t n, struct storage_blocks *ret, struct err *err)
{
	struct fake *fake = arg;

	fake->located++;
	for (size_t i = 0; i < n; i++) {
		const struct fake_file *f = find(fake, paths[i]);
		uint64_t each = f->block != 0 ? f->block : BLOCK;
		const char *hosts = f->hosts;

		if (fake->refuse != NULL && strcmp(fake->refuse, paths[i]) == 0)
			return err_set(err, -EACCES, "%s: it may not be read", paths[i]);
		for (uint64_t at = 0; hosts != NULL && at < f->size; at += each) {
			struct storage_block b = { .offset = at,
				.length = f->size - at < each ? f->size - at : each };
			const char *bar = strchr(hosts, '|');

			add_hosts(&b, hosts);
			assert_int_equal(vec_push(&ret[i], b), 0);
			hosts = bar != NULL ? bar + 1 : f->hosts;
		}
	}
	return 0;
}

/* What is open of it. */
struct open_file {
	struct fake *fake;
	const struct fake_file *f;
};

static int fake_open(void *arg, const char *path, void **ret, struct err *err)
{
	struct open_file *o = malloc(sizeof(*o));

	(void)err;
	assert_non_null(o);
	*o = (struct open_file){ .fake = arg, .f = find(arg, path) };
	o->fake->opened++;
	*ret = o;
	return 0;
}

static ssize_t fake_read(void *file, void *to, size_t len, uint64_t offset, struct err *err)
{
	const struct fake_file *f = ((struct open_file *)file)->f;

	if (f->data == NULL)
		return err_set(err, -EIO, "%s: no bytes", f->path);
	size_t n = offset < f->size ? f->size - offset : 0;
	n = n < len ? n : len;
	memcpy(to, f->data + offset, n);
	return (ssize_t)n;
}

static void fake_close(void *file)
{
	((struct open_file *)file)->fake->opened--;
	free(file);
}

static struct storage storage_of(struct fake *fake)
{
	return (struct storage){ .has = fake_has,
		.is_glob = fake_is_glob,
		.stat = fake_stat,
		.list = fake_list,
		.glob = fake_glob,
		.locate = fake_locate,
		.open = fake_open,
		.read = fake_read,
		.close = fake_close,
		.arg = fake,
		.file_cost = MB,
		.reads_most = 1000 };
}

/* ---- What is asked of it ---- */

static int try(struct fake *fake, const char *path, struct input_config config, struct input_splits *ret,
	struct err *err)
{
	const struct storage storage = storage_of(fake);

	config.remote = &storage;
	int r = input_splits((char *const[]){ (char *)path }, 1, &config, ret, err);
	assert_int_equal(fake->opened, 0);
	return r;
}

static struct input_splits split(struct fake *fake, const char *path, struct input_config config)
{
	struct input_splits s = { 0 };
	struct err err = { "" };

	if (try(fake, path, config, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

/* Writes what a split has: "path:offset+length ... @host host". */
static void show(const Quern__Split *s, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_extents; i++)
		n += (size_t)snprintf(to + n, size - n, "%s:%llu+%llu ", s->extents[i]->path,
			(unsigned long long)s->extents[i]->offset, (unsigned long long)s->extents[i]->length);
	n += (size_t)snprintf(to + n, size - n, "@");
	for (size_t i = 0; i < s->n_hosts; i++)
		n += (size_t)snprintf(to + n, size - n, "%s%s", i > 0 ? " " : "", s->hosts[i]);
	assert_true(n < size);
}

static void assert_split(const struct input_splits *s, size_t i, const char *wanted)
{
	char text[1 << 16];

	assert_true(i < s->n);
	show(s->at[i], text, sizeof(text));
	assert_string_equal(text, wanted);
}

/* The names of the files in their order, "a b c". */
static void assert_names(struct fake *fake, const char *path, bool recursive, const char *wanted)
{
	struct input_splits s = split(fake, path, (struct input_config){ .recursive = recursive });
	char names[4096];
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		for (size_t k = 0; k < s.at[i]->n_extents; k++)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n > 0 ? " " : "",
				s.at[i]->extents[k]->path + strlen("fake://h/"));
	names[n] = '\0';
	assert_string_equal(names, wanted);
	input_splits_deinit(&s);
}

static void assert_refused(
	struct fake *fake, const char *path, struct input_config config, int code, const char *words)
{
	struct input_splits s = { 0 };
	struct err err = { "" };

	assert_int_equal(try(fake, path, config, &s, &err), code);
	if (strstr(err.text, words) == NULL)
		fail_msg("no '%s' in: %s", words, err.text);
	assert_null(s.at);
}

#define FAKE(list)                                                                                           \
	{                                                                                                    \
		.files = (list), .n = sizeof(list) / sizeof((list)[0])                                       \
	}

/* ---- Blocks ---- */

static void a_split_is_a_block(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "fake://h/a",
			.size = 3ULL * BLOCK,
			.hosts = "h1,10.0.0.1,h2,10.0.0.2|h3,10.0.0.3" },
		{ .path = "fake://h/small", .size = MB, .block = MB, .hosts = "x" },
		{ .path = "fake://h/smaller", .size = 5 * MB, .block = MB, .hosts = "x|y" },
	};
	struct fake fake = FAKE(files);

	(void)state;
	struct input_splits s = split(&fake, "fake://h/a", (struct input_config){ 0 });
	assert_int_equal(s.n, 3);
	assert_split(&s, 0, "fake://h/a:0+134217728 @h1 10.0.0.1 h2 10.0.0.2");
	assert_split(&s, 1, "fake://h/a:134217728+134217728 @h3 10.0.0.3");
	assert_split(&s, 2, "fake://h/a:268435456+134217728 @h1 10.0.0.1 h2 10.0.0.2");
	input_splits_deinit(&s);
	assert_int_equal(fake.located, 1);

	/* However small they are. */
	s = split(&fake, "fake://h/smaller", (struct input_config){ .parallelism = 2 });
	assert_int_equal(s.n, 5);
	assert_split(&s, 1, "fake://h/smaller:1048576+1048576 @y");
	input_splits_deinit(&s);
}

static void a_short_tail_joins_the_block_before_it(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "fake://h/slop", .size = 2 * BLOCK + BLOCK / 10, .hosts = "a|b|c" },
		{ .path = "fake://h/more", .size = 2 * BLOCK + BLOCK / 10 + 1, .hosts = "a|b|c" },
		{ .path = "fake://h/one", .size = BLOCK + 1, .hosts = "a|b" },
	};
	struct fake fake = FAKE(files);

	(void)state;
	struct input_splits s = split(&fake, "fake://h/slop", (struct input_config){ 0 });
	assert_int_equal(s.n, 2);
	assert_split(&s, 1, "fake://h/slop:134217728+147639500 @b"); /* c has a tenth of it */
	input_splits_deinit(&s);
	s = split(&fake, "fake://h/more", (struct input_config){ 0 });
	assert_int_equal(s.n, 3);
	assert_split(&s, 2, "fake://h/more:268435456+13421773 @c");
	input_splits_deinit(&s);
	s = split(&fake, "fake://h/one", (struct input_config){ 0 });
	assert_int_equal(s.n, 1);
	input_splits_deinit(&s);
}

static void more_splits_are_parts_of_blocks(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "fake://h/a", .size = 2 * BLOCK, .hosts = "a|b" }
	};
	const struct input_config by_cores = { .parallelism = 8 }, by_pieces = { .pieces = 6 },
				  by_memory = { .target_bytes = 16 * MB };
	struct fake fake = FAKE(files);

	(void)state;
	struct input_splits s = split(&fake, "fake://h/a", by_cores);
	assert_int_equal(s.n, 8);
	assert_split(&s, 3, "fake://h/a:100663296+33554432 @a");
	assert_split(&s, 4, "fake://h/a:134217728+33554432 @b");
	input_splits_deinit(&s);
	s = split(&fake, "fake://h/a", by_pieces);
	assert_true(s.n >= 6);
	for (size_t i = 0; i < s.n; i++) /* none crosses the border */
		assert_int_equal(s.at[i]->extents[0]->offset / BLOCK,
			(s.at[i]->extents[0]->offset + s.at[i]->extents[0]->length - 1) / BLOCK);
	input_splits_deinit(&s);
	s = split(&fake, "fake://h/a", by_memory);
	assert_int_equal(s.n, 16);
	input_splits_deinit(&s);
}

static void whole_files_are_where_most_of_them_is(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "fake://h/x.gz", .size = 5 * MB, .block = MB, .hosts = "a,b|b,c|b,d|b|b" },
		{ .path = "fake://h/many", .size = MB, .hosts = "1,2,3,4,5,6,7,8,9,10" },
	};
	struct fake fake = FAKE(files);

	(void)state;
	struct input_splits s = split(&fake, "fake://h/x.gz", (struct input_config){ .parallelism = 4 });
	assert_int_equal(s.n, 1);
	assert_split(&s, 0, "fake://h/x.gz:0+5242880 @b");
	input_splits_deinit(&s);
	s = split(&fake, "fake://h/many", (struct input_config){ .format = QUERN__SOURCE__FORMAT__WHOLE });
	assert_split(&s, 0, "fake://h/many:0+1048576 @1 2 3 4 5 6 7 8");
	input_splits_deinit(&s);
}

/* Skippable frames of zstd, which stand for nothing, of 1 MiB each. */
static void frames_are_found_through_the_storage(void **state)
{
	auto_free char *data = calloc(4, MB);
	const struct fake_file files[] = {
		{ .path = "fake://h/f.zst", .size = 4 * MB, .block = 3 * MB, .hosts = "a|b", .data = data },
		{ .path = "fake://h/bad.zst", .size = 4 * MB },
	};
	struct fake fake = FAKE(files);

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < 4; i++)
		memcpy(data + i * MB, "\x50\x2a\x4d\x18\xf8\xff\x0f\0", 8);
	struct input_splits s = split(&fake, "fake://h/f.zst", (struct input_config){ .parallelism = 2 });
	assert_int_equal(s.n, 2);
	assert_split(&s, 0, "fake://h/f.zst:0+2097152 @a");
	assert_split(&s, 1, "fake://h/f.zst:2097152+2097152 @a b");
	input_splits_deinit(&s);
	assert_refused(
		&fake, "fake://h/bad.zst", (struct input_config){ .parallelism = 2 }, -EIO, "no bytes");
}

/* ---- Small files ---- */

static void small_files_share_splits_in_their_order(void **state)
{
	static struct fake_file files[100];
	static char names[100][32];
	const struct input_config config = { 0 };
	struct fake fake = FAKE(files);

	(void)state;
	/* Forty on a, forty on b, all on c; the rest on d. */
	for (int i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "fake://h/%02d", i);
		files[i] = (struct fake_file){ .path = names[i],
			.size = 100,
			.hosts = i < 40   ? "a,c"
				 : i < 80 ? "b,c"
					  : "d" };
	}
	struct input_splits s = split(&fake, "fake://h/*", config);
	assert_int_equal(fake.located, 1); /* of all files at a time */
	/* An opened file costs 1 MiB, and a split has 64 MiB at most; c has all of the first. */
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0]->n_extents, 63);
	assert_int_equal(s.at[0]->n_hosts, 2);
	assert_string_equal(s.at[0]->hosts[0], "c");
	assert_string_equal(s.at[0]->hosts[1], "a");
	assert_int_equal(s.at[1]->n_extents, 37);
	for (size_t i = 0; i < 100; i++)
		assert_string_equal(
			(i < 63 ? s.at[0]->extents[i] : s.at[1]->extents[i - 63])->path, names[i]);
	input_splits_deinit(&s);

	for (int i = 0; i < 100; i++)
		files[i].hosts = i < 40 ? "a" : "b";
	s = split(&fake, "fake://h/*", config);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.at[0]->n_extents, 40); /* more than half full, and b is elsewhere */
	assert_int_equal(s.at[1]->n_extents, 60);
	assert_int_equal(s.at[1]->n_hosts, 1);
	assert_string_equal(s.at[1]->hosts[0], "b");
	input_splits_deinit(&s);
}

static void many_files_are_few_splits(void **state)
{
	auto_free struct fake_file *files = calloc(FILES, sizeof(*files));
	auto_free char(*names)[32] = calloc(FILES, sizeof(*names));
	uint64_t random = 1;

	(void)state;
	assert_true(files != NULL && names != NULL);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "fake://h/%05d", i);
		files[i] = (struct fake_file){ .path = names[i],
			.size = random_next(&random) % (3 * MB),
			.hosts = i % 3 == 0   ? "a,b"
				 : i % 3 == 1 ? "b,c"
					      : "c,a" };
	}
	struct fake fake = { .files = files, .n = FILES };
	struct input_splits s = split(&fake, "fake://h/*", (struct input_config){ .parallelism = 4 });
	uint64_t bytes = 0, wanted = 0;

	for (size_t i = 0; i < FILES; i++)
		wanted += files[i].size;
	for (size_t i = 0; i < s.n; i++) {
		assert_true(s.at[i]->n_hosts > 0);
		for (size_t k = 0; k < s.at[i]->n_extents; k++)
			bytes += s.at[i]->extents[k]->length;
	}
	assert_int_equal(bytes, wanted);
	assert_in_range(s.n, 5, 20);
	input_splits_deinit(&s);
}

/* ---- Names ---- */

static const struct fake_file tree[] = {
	{ .path = "fake://h/in", .folder = true },
	{ .path = "fake://h/in/b", .size = 1 },
	{ .path = "fake://h/in/.hidden", .size = 1 },
	{ .path = "fake://h/in/_SUCCESS", .size = 1 },
	{ .path = "fake://h/in/a", .folder = true },
	{ .path = "fake://h/in/a/2", .size = 1 },
	{ .path = "fake://h/in/a/10", .size = 1 },
	{ .path = "fake://h/in/a/_tmp", .folder = true },
	{ .path = "fake://h/in/a/_tmp/x", .size = 1 },
	{ .path = "fake://h/in/a/deep", .folder = true },
	{ .path = "fake://h/in/a/deep/er", .size = 1 },
	{ .path = "fake://h/in/c", .size = 1 },
	{ .path = "fake://h/flat", .folder = true },
	{ .path = "fake://h/flat/z", .size = 1 },
	{ .path = "fake://h/flat/empty", .size = 0 },
	{ .path = "fake://h/star*", .size = 1 },
	{ .path = "fake://h/starry", .size = 1 },
	{ .path = "fake://h/round", .folder = true, .id = 7 },
	{ .path = "fake://h/round/one", .folder = true, .id = 8 },
	{ .path = "fake://h/round/one/back", .folder = true, .id = 7 },
};

static void folders_and_globs(void **state)
{
	struct fake fake = FAKE(tree);

	(void)state;
	assert_names(&fake, "fake://h/flat", false, "flat/z");
	assert_names(&fake, "fake://h/in", true, "in/a/10 in/a/2 in/a/deep/er in/b in/c");
	assert_names(&fake, "fake://h/in/*", true, "in/a/10 in/a/2 in/a/deep/er in/b in/c");
	assert_names(&fake, "fake://h/f*", false, "flat/z");
	assert_names(&fake, "fake://h/in/.hidden", false, "in/.hidden");
	assert_names(&fake, "fake://h/star*", false, "star*"); /* it exists */
}

static void what_cannot_be_read_is_refused(void **state)
{
	const struct input_config config = { 0 }, recursive = { .recursive = true };
	struct fake fake = FAKE(tree);

	(void)state;
	assert_refused(&fake, "fake://h/in", config, -EINVAL, "--recursive");
	assert_refused(&fake, "fake://h/in", config, -EINVAL, "fake://h/in/a");
	assert_refused(&fake, "fake://h/none", config, -ENOENT, "it is not there");
	assert_refused(&fake, "fake://h/none*", config, -ENOENT, "fake://h/none*");
	assert_refused(&fake, "fake://h/round", recursive, -ELOOP, "fake://h/round/one/back");
	fake.refuse = "fake://h/in/c";
	assert_refused(&fake, "fake://h/in/c", config, -EACCES, "it may not be read");
}

/* The same of the local disk, where links lead anywhere. */
static void local_folders_are_looked_into(void **state)
{
	const struct input_config config = { .recursive = true };
	struct input_splits s = { 0 };
	struct err err = { "" };
	char *const paths[] = { *state };

	assert_int_equal(mkdir(kit_path(*state, "b"), 0700), 0);
	assert_int_equal(mkdir(kit_path(*state, "b/_no"), 0700), 0);
	kit_write(kit_path(*state, "b/_no/x"), "x");
	kit_write(kit_path(*state, "b/2"), "x");
	kit_write(kit_path(*state, "a"), "x");
	assert_int_equal(symlink("b", kit_path(*state, "c")), 0);
	assert_int_equal(input_splits(paths, 1, &config, &s, &err), 0);
	assert_int_equal(s.at[0]->n_extents, 3);
	assert_string_equal(s.at[0]->extents[0]->path, kit_path(*state, "a"));
	assert_string_equal(s.at[0]->extents[1]->path, kit_path(*state, "b/2"));
	assert_string_equal(s.at[0]->extents[2]->path, kit_path(*state, "c/2"));
	assert_int_equal(s.at[0]->n_hosts, 0);
	input_splits_deinit(&s);

	assert_int_equal(symlink("..", kit_path(*state, "b/up")), 0);
	assert_int_equal(input_splits(paths, 1, &config, &s, &err), -ELOOP);
	assert_non_null(strstr(err.text, "b/up"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_split_is_a_block),
		cmocka_unit_test(a_short_tail_joins_the_block_before_it),
		cmocka_unit_test(more_splits_are_parts_of_blocks),
		cmocka_unit_test(whole_files_are_where_most_of_them_is),
		cmocka_unit_test(frames_are_found_through_the_storage),
		cmocka_unit_test(small_files_share_splits_in_their_order),
		cmocka_unit_test(many_files_are_few_splits),
		cmocka_unit_test(folders_and_globs),
		cmocka_unit_test(what_cannot_be_read_is_refused),
		cmocka_unit_test_setup_teardown(local_folders_are_looked_into, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
