/* compile.c: a job's C source becomes a shared object, or the one that was made of the same source before.
 *
 * The source is preprocessed into memory. Those bytes, what the compiler says of its version, its command and
 * the files that the command names make the hash; and the same bytes, not the file, which may be in
 * somebody's editor, are then compiled. An object gets its name in the cache by rename() when it is whole, so
 * that any number of commands may do this at a time. */
#include "job/compile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/auto.h"
#include "job/compiler.h"
#include "job/object.h"

enum {
	CACHE_FORMAT = 2,       /* counts up when the same command would make another object */
	HASH_PIECE = 256 << 10, /* bytes of a file, hashed at a time */
	HASH_DIGITS = 32,       /* hexadecimal */
	CACHE_DAYS = 30,        /* what was not used for so long is removed */
};

/* ---- The hash ---- */

static void hash_bytes(XXH3_state_t *h, const void *data, size_t len)
{
	const uint64_t head = len;

	/* Lengths as well, so that no two lists of pieces look alike. */
	(void)XXH3_128bits_update(h, &head, sizeof(head));
	if (len > 0)
		(void)XXH3_128bits_update(h, data, len);
}

static int hash_file(XXH3_state_t *h, int fd)
{
	auto_free uint8_t *piece = malloc(HASH_PIECE);

	if (piece == NULL)
		return -ENOMEM;
	for (off_t at = 0;;) {
		ssize_t n = pread(fd, piece, HASH_PIECE, at);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0) {
			hash_bytes(h, &at, sizeof(at));
			return 0;
		}
		if (n > 0) {
			(void)XXH3_128bits_update(h, piece, (size_t)n);
			at += n;
		}
	}
}

static int hash_words(XXH3_state_t *h, const struct words *w)
{
	hash_bytes(h, &w->n, sizeof(w->n));
	for (size_t i = 0; i < w->n; i++) {
		struct stat st;
		auto_close int fd = -1;

		hash_bytes(h, w->at[i], strlen(w->at[i]));
		/* A library or an object that is linked in. */
		if (w->at[i][0] == '-' || stat(w->at[i], &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		fd = open(w->at[i], O_RDONLY | O_CLOEXEC);
		int r = fd >= 0 ? hash_file(h, fd) : -errno;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The name of what `source` compiles to, in hexadecimal. */
static int hash_job(const struct compiler *c, int source, char ret[HASH_DIGITS + 1])
{
	const uint32_t format = CACHE_FORMAT;
	XXH3_state_t *h = XXH3_createState();

	if (h == NULL)
		return -ENOMEM;
	(void)XXH3_128bits_reset(h);
	hash_bytes(h, &format, sizeof(format));
	hash_bytes(h, c->version.data, c->version.len);
	int r = hash_words(h, &c->cc);
	for (size_t i = 0; compiler_flags[i] != NULL; i++)
		hash_bytes(h, compiler_flags[i], strlen(compiler_flags[i]));
	for (size_t i = 0; compiler_link_flags[i] != NULL; i++)
		hash_bytes(h, compiler_link_flags[i], strlen(compiler_link_flags[i]));
	if (r == 0)
		r = hash_words(h, &c->cflags);
	if (r == 0)
		r = hash_file(h, source);
	XXH128_hash_t hash = XXH3_128bits_digest(h);
	(void)XXH3_freeState(h);
	(void)snprintf(ret, HASH_DIGITS + 1, "%016llx%016llx", (unsigned long long)hash.high64,
		(unsigned long long)hash.low64);
	return r;
}

/* ---- The cache ---- */

/* Makes `path` and the folders above it that are missing, for this user alone. */
static int make_folders(char *path)
{
	for (char *p = path + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		char end = *p;
		*p = '\0';
		int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*p = end;
		if (r < 0 || end == '\0')
			return r;
	}
}

/* *ret: the folder of what was compiled, which exists. */
static int find_cache(char **ret, struct err *err)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	auto_free char *path = NULL;
	int n;

	/* A relative one is to be ignored: XDG Base Directory Specification. */
	if (cache != NULL && *cache == '/') {
		n = asprintf(&path, "%s/quern", cache);
	} else {
		const struct passwd *pw = home == NULL || *home != '/' ? getpwuid(geteuid()) : NULL;

		if (pw != NULL)
			home = pw->pw_dir;
		if (home == NULL || *home != '/')
			return err_set(err, -ENOENT,
				"no place for what is compiled: set XDG_CACHE_HOME to a folder");
		n = asprintf(&path, "%s/.cache/quern", home);
	}
	if (n < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	int r = make_folders(path);
	if (r < 0)
		return err_errno(err, r, "the folder '%s' for what is compiled (see XDG_CACHE_HOME)", path);
	*ret = path, path = NULL;
	return 0;
}

/* Whether `object` is there, is a job, and was put there by this user. Then it is in use. */
static bool cached(const char *object)
{
	struct object look;
	struct stat st;

	if (lstat(object, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		object_look(object, &look, NULL) < 0 || look.build_id_len == 0 || !look.has_main)
		return false;
	(void)utimensat(AT_FDCWD, object, NULL, 0); /* where that fails it is removed early, and made again */
	return true;
}

/* Whether a file in the cache has a name that this program gives: HASH.so, HASH.so.XXXXXX. */
static bool is_ours(const char *name)
{
	return strspn(name, "0123456789abcdef") == HASH_DIGITS &&
	       strncmp(name + HASH_DIGITS, ".so", 3) == 0 &&
	       (name[HASH_DIGITS + 3] == '\0' || name[HASH_DIGITS + 3] == '.');
}

/* Removes what nobody has used for long, and what a killed compiler has left. Whatever fails is for another
 * time. */
static void clean(const char *cache)
{
	const time_t oldest = time(NULL) - (time_t)CACHE_DAYS * 24 * 60 * 60;
	DIR *dir = opendir(cache);

	if (dir == NULL)
		return;
	for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
		struct stat st;

		if (is_ours(e->d_name) && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) && st.st_mtime < oldest)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	(void)closedir(dir);
}

/* Whether `object`, which `path` is or became, can be a job. */
static int check_object(const char *object, const char *path, struct err *err)
{
	struct object look;

	int r = object_look(object, &look, err);
	if (r < 0)
		return r;
	if (!look.has_main)
		return err_set(err, -ENOEXEC,
			"the job '%s' has no quern_main(), with which a job begins: see quern/quern.h", path);
	if (look.build_id_len == 0)
		return err_set(err, -ENOEXEC,
			"the job '%s' has no build id: link it with -Wl,--build-id=sha1", path);
	return 0;
}

/* What is to be found after a crash as well. */
static int sync_file(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Compiles into `temporary`, a file of nobody else's, and moves it to `object`. */
static int build(const struct compiler *c, const char *path, int source, const char *temporary,
	const char *object, struct err *err)
{
	int r = compiler_build(c, path, source, temporary, err);

	if (r == 0)
		r = check_object(temporary, path, err);
	if (r < 0)
		return r;
	r = sync_file(temporary);
	if (r == 0 && rename(temporary, object) < 0)
		r = -errno;
	return r < 0 ? err_errno(err, r, "'%s', what '%s' was compiled to", object, path) : 0;
}

static int build_aside(
	const struct compiler *c, const char *path, int source, const char *object, struct err *err)
{
	auto_free char *temporary = NULL;

	if (asprintf(&temporary, "%s.XXXXXX", object) < 0) {
		temporary = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	int fd = mkstemp(temporary);
	if (fd < 0)
		return err_errno(err, -errno, "what '%s' is compiled to, '%s'", path, temporary);
	(void)close(fd);
	int r = build(c, path, source, temporary, object, err);
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

static int compile(struct compiler *c, const char *path, char **ret, struct err *err)
{
	auto_close int source = -1;
	auto_free char *cache = NULL, *object = NULL;
	char hash[HASH_DIGITS + 1];

	int r = compiler_preprocess(c, path, &source, err);
	if (r < 0)
		return r;
	r = hash_job(c, source, hash);
	if (r < 0)
		return err_errno(err, r, "the hash of '%s' and the files in the compiler's flags", path);
	r = find_cache(&cache, err);
	if (r < 0)
		return r;
	if (asprintf(&object, "%s/%s.so", cache, hash) < 0) {
		object = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (!cached(object)) {
		r = build_aside(c, path, source, object, err);
		if (r < 0)
			return r;
		clean(cache);
	}
	*ret = object, object = NULL;
	return 0;
}

/* ---- The contract ---- */

static bool is_source(const char *path)
{
	size_t len = strlen(path);

	return len > 2 && strcmp(path + len - 2, ".c") == 0;
}

static int check_source(const char *path, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "the job '%s'", path);
	return S_ISREG(st.st_mode) ? 0 : err_set(err, -EINVAL, "the job '%s' is not a file", path);
}

int compile_job(const char *path, const char *include, const char *cflags, char **ret, struct err *err)
{
	struct compiler c = { 0 };

	if (!is_source(path)) {
		int r = check_object(path, path, err);
		if (r < 0)
			return r;
		char *copy = strdup(path);
		if (copy == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		*ret = copy;
		return 0;
	}
	int r = check_source(path, err);
	if (r == 0)
		r = compiler_init(&c, include, cflags, err);
	if (r == 0)
		r = compile(&c, path, ret, err);
	compiler_deinit(&c);
	return r;
}

int compile_build_id(const char *so, uint8_t ret[CODE_BUILD_ID_MAX], size_t *ret_len, struct err *err)
{
	struct object look;

	int r = object_look(so, &look, err);
	if (r < 0)
		return r;
	if (look.build_id_len == 0)
		return err_set(
			err, -ENOEXEC, "the job '%s' has no build id: link it with -Wl,--build-id=sha1", so);
	memcpy(ret, look.build_id, look.build_id_len);
	*ret_len = look.build_id_len;
	return 0;
}
