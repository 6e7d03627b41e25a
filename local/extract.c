#include "local/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/auto.h"

enum { READ_PIECE = 64 << 10 };

bool extract_is_archive(const char *name)
{
	static const char *const endings[] = { ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz",
		".tar.xz", ".tar.zst", ".zip" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i]);
		if (len > n && strcmp(name + len - n, endings[i]) == 0)
			return true;
	}
	return false;
}

static bool component_is(const char *at, size_t len, const char *name)
{
	return len == strlen(name) && strncmp(at, name, len) == 0;
}

/* A relative path without "..": it stays below the folder, as long as no part of it is a link. */
static bool path_stays(const char *path)
{
	if (path == NULL || *path == '\0' || *path == '/')
		return false;
	for (const char *p = path; *p != '\0'; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");
		if (component_is(p, len, ".."))
			return false;
		p += len;
	}
	return true;
}

/* Whether symbolic link `path` -> `target` leads to a place below the folder. ".." may stand only in front,
 * where it is exact: the folders above `path` are real ones (ARCHIVE_EXTRACT_SECURE_SYMLINKS). */
static bool link_stays(const char *path, const char *target)
{
	size_t depth = 0;
	bool leading = true;

	if (target == NULL || *target == '\0' || *target == '/')
		return false;
	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p, "/");
		if (len > 0 && !component_is(p, len, ".") && p[len] == '/' &&
			p[len + strspn(p + len, "/")] != '\0')
			depth++;
		p += len;
		p += strspn(p, "/");
	}
	for (const char *p = target; *p != '\0';) {
		size_t len = strcspn(p, "/");
		if (component_is(p, len, "..")) {
			if (!leading || depth == 0)
				return false;
			depth--;
		} else if (!component_is(p, len, ".")) {
			leading = false;
		}
		p += len;
		p += strspn(p, "/");
	}
	return true;
}

/* Refuses what may not be unpacked, and takes privileges off the rest. */
static int check_entry(struct archive_entry *e, struct err *err)
{
	const char *path = archive_entry_pathname(e);
	const char *hard = archive_entry_hardlink(e);
	mode_t type = archive_entry_filetype(e);

	if (!path_stays(path))
		return err_set(err, -EPERM, "refused: the name '%.200s' is outside of the folder",
			path != NULL ? path : "");
	if (hard != NULL && !path_stays(hard))
		return err_set(err, -EPERM, "refused: '%.200s' links to '%.200s'", path, hard);
	if (hard == NULL && type == AE_IFLNK && !link_stays(path, archive_entry_symlink(e)))
		return err_set(err, -EPERM, "refused: '%.200s' links to '%.200s'", path,
			archive_entry_symlink(e) != NULL ? archive_entry_symlink(e) : "");
	if (hard == NULL && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
		return err_set(err, -EPERM, "refused: '%.200s' is neither a file, a folder nor a link", path);
	/* A folder that we could not write into could not be filled, nor removed. */
	archive_entry_set_perm(e, (archive_entry_perm(e) & 0777) | (type == AE_IFDIR ? 0700 : 0600));
	return 0;
}

static int failed(struct archive *a, struct err *err)
{
	int code = archive_errno(a);

	/* libarchive uses these two for damage (ARCHIVE_ERRNO_FILE_FORMAT) and for wrong calls. */
	if (code > 0 && code != EILSEQ && code != EINVAL && archive_error_string(a) != NULL)
		return err_errno(err, -code, "cannot unpack: %.300s", archive_error_string(a));
	return err_set(err, code > 0 ? -code : -EIO, "cannot unpack: %.300s",
		archive_error_string(a) != NULL ? archive_error_string(a) : "damaged archive");
}

static int copy_data(struct archive *in, struct archive *out, uint64_t *left, struct err *err)
{
	const void *piece;
	size_t len;
	la_int64_t at;
	int r;

	while ((r = archive_read_data_block(in, &piece, &len, &at)) == ARCHIVE_OK) {
		/* The offset counts too: a hole costs nothing to send, and much to read. */
		if (at < 0 || len > *left || (uint64_t)at > *left)
			return err_set(err, -EFBIG, "refused: it unpacks to more than is allowed");
		if (archive_write_data_block(out, piece, len, at) < ARCHIVE_OK)
			return failed(out, err);
		*left -= len;
	}
	return r == ARCHIVE_EOF ? 0 : failed(in, err);
}

static int extract_entry(
	struct archive *in, struct archive *out, struct archive_entry *e, uint64_t *left, struct err *err)
{
	int r = check_entry(e, err);
	if (r < 0)
		return r;
	if (archive_write_header(out, e) < ARCHIVE_OK)
		return failed(out, err);
	r = copy_data(in, out, left, err);
	if (r == 0 && archive_write_finish_entry(out) < ARCHIVE_OK)
		r = failed(out, err);
	return r;
}

static int extract_all(
	struct archive *in, struct archive *out, const struct extract_limits *limits, struct err *err)
{
	uint64_t bytes = limits->bytes, entries = limits->entries;
	struct archive_entry *e;
	int found;

	while ((found = archive_read_next_header(in, &e)) == ARCHIVE_OK || found == ARCHIVE_WARN) {
		if (entries-- == 0)
			return err_set(err, -EFBIG, "refused: it holds more files than is allowed");
		int r = extract_entry(in, out, e, &bytes, err);
		if (r < 0)
			return r;
	}
	return found == ARCHIVE_EOF ? 0 : failed(in, err);
}

/* Exactly what our names stand for: libarchive's others would run programs that it finds. */
static int support(struct archive *in)
{
	return archive_read_support_filter_gzip(in) == ARCHIVE_OK &&
			       archive_read_support_filter_bzip2(in) == ARCHIVE_OK &&
			       archive_read_support_filter_xz(in) == ARCHIVE_OK &&
			       archive_read_support_filter_zstd(in) == ARCHIVE_OK &&
			       archive_read_support_format_tar(in) == ARCHIVE_OK &&
			       archive_read_support_format_zip(in) == ARCHIVE_OK
		       ? 0
		       : -ENOMEM;
}

int extract_here(const char *file, const struct extract_limits *limits, struct err *err)
{
	int r;
	struct archive *in = archive_read_new(), *out = archive_write_disk_new();

	if (in == NULL || out == NULL || support(in) < 0 ||
		archive_write_disk_set_options(out, ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
							    ARCHIVE_EXTRACT_SECURE_SYMLINKS |
							    ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS |
							    ARCHIVE_EXTRACT_UNLINK) < ARCHIVE_OK)
		r = err_set(err, -ENOMEM, "out of memory");
	else if (archive_read_open_filename(in, file, READ_PIECE) < ARCHIVE_OK)
		r = failed(in, err);
	else
		r = extract_all(in, out, limits, err);
	if (r == 0 && archive_write_close(out) < ARCHIVE_OK)
		r = failed(out, err);
	(void)archive_read_free(in);
	(void)archive_write_free(out);
	return r;
}

bool extract_is_gzip(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(".gz") && strcmp(name + len - strlen(".gz"), ".gz") == 0 &&
	       !extract_is_archive(name);
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int gunzip(gzFile in, int fd, uint64_t limit, struct err *err)
{
	uint8_t piece[READ_PIECE];
	int n, code;

	while ((n = gzread(in, piece, sizeof(piece))) > 0) {
		if ((uint64_t)n > limit)
			return err_set(err, -EFBIG, "refused: it unpacks to more than is allowed");
		limit -= (uint64_t)n;
		int r = write_all(fd, piece, (size_t)n);
		if (r < 0)
			return err_errno(err, r, "cannot unpack");
	}
	const char *why = gzerror(in, &code);
	return n < 0 || code < 0 ? err_set(err, -EIO, "cannot unpack: %.200s", why) : 0;
}

int extract_gzip(const char *file, const struct extract_limits *limits, struct err *err)
{
	auto_free char *target = strndup(file, strlen(file) - strlen(".gz"));
	if (target == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	gzFile in = gzopen(file, "rb");
	if (in == NULL)
		return err_set(err, -EIO, "cannot read '%s'", file);
	int fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r = fd < 0 ? err_errno(err, -errno, "cannot write '%s'", target)
		       : gunzip(in, fd, limits->bytes, err);
	(void)gzclose(in);
	if (fd >= 0 && close(fd) < 0 && r == 0) /* some file systems say it then */
		r = err_errno(err, -errno, "cannot write '%s'", target);
	return r;
}
