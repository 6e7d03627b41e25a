#include "executor/encode.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
	GZIP_WINDOW = 15 + 16, /* zlib's windowBits: the largest window, and a gzip header */
	GZIP_MEMORY = 8,       /* zlib's memLevel: its default */
	ROOM = 64 << 10        /* bytes of output asked for at a time */
};

struct encoder {
	Quern__Codec codec;
	ZSTD_CCtx *zstd;
	size_t frame; /* bytes in the current frame of zstd */
	z_stream gzip;
	bool gzip_made;
};

int encoder_new(Quern__Codec codec, struct encoder **ret, struct err *err)
{
	struct encoder *e = calloc(1, sizeof(*e));
	bool ready = false;

	if (e == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	e->codec = codec;
	switch (codec) {
	case QUERN__CODEC__GZIP:
		ready = deflateInit2(&e->gzip, ENCODE_GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
				Z_DEFAULT_STRATEGY) == Z_OK;
		e->gzip_made = ready;
		break;
	case QUERN__CODEC__ZSTD:
		e->zstd = ZSTD_createCCtx();
		ready = e->zstd != NULL &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(
				e->zstd, ZSTD_c_compressionLevel, ENCODE_ZSTD_LEVEL)) &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_checksumFlag, 1));
		break;
	default:
		(void)encoder_free(e);
		return err_set(err, -EINVAL, "output: an unknown kind of compression, %d", (int)codec);
	}
	if (!ready) {
		(void)encoder_free(e);
		return err_set(err, -ENOMEM, "output: out of memory for compression");
	}
	*ret = e;
	return 0;
}

struct encoder *encoder_free(struct encoder *e)
{
	if (e == NULL)
		return NULL;
	if (e->gzip_made)
		(void)deflateEnd(&e->gzip);
	(void)ZSTD_freeCCtx(e->zstd);
	free(e);
	return NULL;
}

/* Takes `len` bytes, UINT_MAX at most. */
static int put_gzip(struct encoder *e, const uint8_t *data, size_t len, int flush, struct buf *out)
{
	z_stream *z = &e->gzip;

	z->next_in = (uint8_t *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	do {
		int r = buf_reserve(out, ROOM);

		if (r < 0)
			return -ENOMEM;
		z->next_out = out->data + out->len;
		z->avail_out = ROOM;
		(void)deflate(z, flush); /* Z_BUF_ERROR: nothing to do; others take a broken z */
		out->len += ROOM - z->avail_out;
	} while (z->avail_out == 0);
	return 0;
}

static int put_zstd(
	struct encoder *e, const uint8_t *data, size_t len, ZSTD_EndDirective how, struct buf *out)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;

	do {
		if (buf_reserve(out, ROOM) < 0)
			return -ENOMEM;
		ZSTD_outBuffer to = { out->data + out->len, ROOM, 0 };
		left = ZSTD_compressStream2(e->zstd, &to, &in, how);
		if (ZSTD_isError(left))
			return -ENOMEM; /* nothing else can go wrong */
		out->len += to.pos;
	} while (in.pos < in.size || (how == ZSTD_e_end && left > 0));
	e->frame += len;
	if (how == ZSTD_e_end)
		e->frame = 0;
	return 0;
}

int encoder_put(struct encoder *e, const uint8_t *data, size_t len, struct buf *out)
{
	int r = 0;

	for (size_t n; len > 0 && r == 0; data += n, len -= n) {
		if (e->codec == QUERN__CODEC__GZIP) {
			n = len < UINT_MAX ? len : UINT_MAX;
			r = put_gzip(e, data, n, Z_NO_FLUSH, out);
		} else {
			if (e->frame == ENCODE_FRAME)
				r = put_zstd(e, NULL, 0, ZSTD_e_end, out);
			n = len < ENCODE_FRAME - e->frame ? len : ENCODE_FRAME - e->frame;
			if (r == 0)
				r = put_zstd(e, data, n, ZSTD_e_continue, out);
		}
	}
	return r;
}

int encoder_end(struct encoder *e, struct buf *out)
{
	return e->codec == QUERN__CODEC__GZIP ? put_gzip(e, NULL, 0, Z_FINISH, out)
					      : put_zstd(e, NULL, 0, ZSTD_e_end, out);
}
