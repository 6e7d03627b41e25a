#include "executor/decode.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { GZIP_ALONE = 15 + 16 }; /* zlib's windowBits: the largest window, and a gzip header is a must */

struct decoder {
	const struct extent_file *file;
	const Quern__Extent *x; /* of it */
	uint64_t at;            /* in the file: the first byte that was not read */
	uint64_t limit;         /* in the file: where the extent ends */
	uint8_t *in;            /* DECODE_INPUT bytes, in_len of them read, in_at of those used */
	size_t in_len, in_at;
	bool inside;  /* a frame that has begun */
	bool framed;  /* a frame that has ended */
	bool pending; /* there was no room for all that is decoded */
	uint64_t raw; /* bytes given */
	uint64_t end; /* see decoder_end() */
	ZSTD_DCtx *zstd;
	z_stream gzip;
	bool gzip_made;
};

/* Where in the file the next byte to be decoded is. */
static uint64_t position(const struct decoder *d)
{
	return d->at - (d->in_len - d->in_at);
}

static int no_memory(const struct decoder *d, struct err *err)
{
	return err_set(
		err, -ENOMEM, "input '%s': out of memory for what it needs to be decompressed", d->x->path);
}

/* What the library says of bytes that are wrong. `strange`: they are not even the beginning of a frame. */
static int damaged(const struct decoder *d, bool strange, const char *why, struct err *err)
{
	const char *format = d->x->codec == QUERN__CODEC__GZIP ? "gzip" : "zstd";

	if (strange && d->x->offset == 0 && !d->framed)
		return err_set(err, -EBADMSG, "input '%s': not %s: %s", d->x->path, format, why);
	return err_set(err, -EBADMSG, "input '%s': damaged %s near byte %llu: %s", d->x->path, format,
		(unsigned long long)position(d), why);
}

/* ---- gzip ---- */

static int gzip_start(struct decoder *d, struct err *err)
{
	int r;

	if (d->x->offset != 0)
		return err_set(err, -EPROTO, "input '%s': a part of a gzip file", d->x->path);
	d->gzip.next_in = NULL;
	d->gzip.avail_in = 0;
	r = d->gzip_made ? inflateReset(&d->gzip) : inflateInit2(&d->gzip, GZIP_ALONE);
	if (r != Z_OK)
		return no_memory(d, err);
	d->gzip_made = true;
	return 0;
}

static int gzip_error(const struct decoder *d, int r, struct err *err)
{
	bool strange = !d->inside && d->in_len > 1 && (d->in[0] != 0x1f || d->in[1] != 0x8b);

	if (r == Z_MEM_ERROR)
		return no_memory(d, err);
	return damaged(d, strange, d->gzip.msg != NULL ? d->gzip.msg : zError(r), err);
}

/* Decodes what is there of the current member. How many bytes. */
static ssize_t gzip_step(struct decoder *d, uint8_t *to, size_t room, struct err *err)
{
	uInt most = room < UINT_MAX ? (uInt)room : UINT_MAX;
	z_stream *z = &d->gzip;

	if (!d->inside && d->framed && inflateReset(z) != Z_OK)
		return gzip_error(d, Z_STREAM_ERROR, err);
	z->next_in = d->in + d->in_at;
	z->avail_in = (uInt)(d->in_len - d->in_at);
	z->next_out = to;
	z->avail_out = most;
	int r = inflate(z, Z_NO_FLUSH);
	d->in_at = d->in_len - z->avail_in;
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) /* the last one: there is nothing to do */
		return gzip_error(d, r, err);
	d->inside = r != Z_STREAM_END;
	return (ssize_t)(most - z->avail_out);
}

/* ---- zstd ---- */

static int zstd_start(struct decoder *d, struct err *err)
{
	if (d->zstd == NULL)
		d->zstd = ZSTD_createDCtx();
	if (d->zstd == NULL || ZSTD_isError(ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only)) ||
		ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, DECODE_WINDOW_LOG_MAX)))
		return no_memory(d, err);
	return 0;
}

static int zstd_error(const struct decoder *d, size_t result, struct err *err)
{
	ZSTD_ErrorCode code = ZSTD_getErrorCode(result);

	switch (code) {
	case ZSTD_error_memory_allocation:
		return no_memory(d, err);
	case ZSTD_error_frameParameter_windowTooLarge:
		return err_set(err, -EBADMSG,
			"input '%s': a zstd frame near byte %llu needs a window larger than %d MiB: compress "
			"it "
			"without --long or with --long=%d",
			d->x->path, (unsigned long long)position(d), (1 << DECODE_WINDOW_LOG_MAX) >> 20,
			DECODE_WINDOW_LOG_MAX);
	default:
		return damaged(d, code == ZSTD_error_prefix_unknown, ZSTD_getErrorName(result), err);
	}
}

/* Decodes what is there of the current frame. How many bytes. */
static ssize_t zstd_step(struct decoder *d, uint8_t *to, size_t room, struct err *err)
{
	ZSTD_inBuffer in = { d->in, d->in_len, d->in_at };
	ZSTD_outBuffer out = { to, room, 0 };

	size_t r = ZSTD_decompressStream(d->zstd, &out, &in);
	if (ZSTD_isError(r))
		return zstd_error(d, r, err);
	d->in_at = in.pos;
	d->inside = r != 0;
	return (ssize_t)out.pos;
}

/* ---- Both ---- */

int decoder_new(struct decoder **ret)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->in = malloc(DECODE_INPUT);
	if (d->in == NULL) {
		free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

struct decoder *decoder_free(struct decoder *d)
{
	if (d == NULL)
		return NULL;
	if (d->gzip_made)
		(void)inflateEnd(&d->gzip);
	(void)ZSTD_freeDCtx(d->zstd);
	free(d->in);
	free(d);
	return NULL;
}

int decoder_start(struct decoder *d, const struct extent_file *file, struct err *err)
{
	const Quern__Extent *x = file->x;

	d->x = x;
	d->file = file;
	d->at = x->offset;
	d->limit = x->length > UINT64_MAX - x->offset ? UINT64_MAX : x->offset + x->length;
	d->in_len = d->in_at = 0;
	d->inside = d->framed = d->pending = false;
	d->raw = 0;
	d->end = UINT64_MAX;
	switch (x->codec) {
	case QUERN__CODEC__GZIP:
		return gzip_start(d, err);
	case QUERN__CODEC__ZSTD:
		return zstd_start(d, err);
	default:
		return err_set(err, -EPROTO, "input '%s': an unknown kind of compression, %d", x->path,
			(int)x->codec);
	}
}

/* Reads more of the file. 1; 0: there is no more; or a negative errno. */
static int read_more(struct decoder *d, struct err *err)
{
	size_t most = d->at < d->limit ? DECODE_INPUT : DECODE_BEHIND;

	if (d->at < d->limit && most > d->limit - d->at)
		most = (size_t)(d->limit - d->at);
	if (d->at >= d->limit && d->x->codec == QUERN__CODEC__GZIP)
		return 0; /* what was added since is not of this input */
	ssize_t n = extent_some(d->file, d->in, most, d->at, err);
	if (n < 0)
		return (int)n;
	d->at += (uint64_t)n;
	d->in_len = (size_t)n;
	d->in_at = 0;
	return n > 0;
}

/* Between two frames: whether the extent ends here. */
static int look_for_end(struct decoder *d, struct err *err)
{
	uint64_t here = position(d);

	if (d->end != UINT64_MAX || here < d->limit)
		return 0;
	if (here > d->limit)
		return err_set(err, -ESTALE,
			"input '%s': byte %llu is not between two zstd frames: it has changed since the job "
			"began",
			d->x->path, (unsigned long long)d->limit);
	d->end = d->raw;
	return 0;
}

/* The file has no more bytes. */
static int at_the_end(const struct decoder *d, struct err *err)
{
	if (d->inside || (d->x->offset == 0 && !d->framed))
		return err_set(err, -EBADMSG, "input '%s': truncated: it ends within a %s", d->x->path,
			d->x->codec == QUERN__CODEC__GZIP ? "gzip member" : "zstd frame");
	if (d->at < d->limit)
		return err_set(err, -ESTALE, "input '%s' was cut while it was read", d->x->path);
	return 0;
}

ssize_t decoder_read(struct decoder *d, uint8_t *to, size_t room, struct err *err)
{
	ssize_t n = 0;

	while (n == 0) {
		int r = d->inside ? 0 : look_for_end(d, err);
		if (r == 0 && d->in_at == d->in_len && !d->pending) {
			r = read_more(d, err);
			if (r == 0)
				return at_the_end(d, err);
		}
		if (r < 0)
			return r;
		n = d->x->codec == QUERN__CODEC__GZIP ? gzip_step(d, to, room, err)
						      : zstd_step(d, to, room, err);
		if (n < 0)
			return n;
		d->framed = d->framed || !d->inside;
		d->pending = d->inside && (size_t)n == room;
	}
	d->raw += (uint64_t)n;
	if (!d->inside) {
		int r = look_for_end(d, err);
		return r < 0 ? r : n;
	}
	return n;
}

uint64_t decoder_end(const struct decoder *d)
{
	return d->end;
}

uint64_t decoder_bytes(const struct decoder *d)
{
	uint64_t here = position(d);

	return (here < d->limit ? here : d->limit) - d->x->offset;
}
