/* session.c: the frames of a session; see session.h for the wire. */
#include "job/session.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum { FRAME_HEAD = 4 }; /* bytes of the length */

static void reader_init(struct session_reader *r, const ProtobufCMessageDescriptor *type, size_t max)
{
	*r = (struct session_reader){ .type = type, .max = max, .frame = BUF_INIT(max + FRAME_HEAD) };
}

void session_reader_driver(struct session_reader *r)
{
	reader_init(r, &quern__session_to_driver__descriptor, SESSION_TO_DRIVER_MAX);
}

void session_reader_job(struct session_reader *r)
{
	reader_init(r, &quern__session_to_job__descriptor, SESSION_TO_JOB_MAX);
}

void session_reader_deinit(struct session_reader *r)
{
	buf_deinit(&r->frame);
}

bool session_at_border(const struct session_reader *r)
{
	return r->frame.len == 0;
}

static size_t frame_length(const struct buf *frame)
{
	uint32_t len;

	memcpy(&len, frame->data, sizeof(len));
	return le32toh(len);
}

/* Takes bytes until the frame is `want` bytes long. true: it is. */
static int fill(struct buf *frame, size_t want, const uint8_t **data, size_t *len)
{
	size_t n = want - frame->len;

	if (n > *len)
		n = *len;
	int r = buf_add(frame, *data, n);
	if (r < 0)
		return r;
	if (n > 0) {
		*data += n;
		*len -= n;
	}
	return frame->len == want;
}

/* Exactly one member, as session.proto says. */
static bool is_one_of(const ProtobufCMessage *m)
{
	if (m->descriptor == &quern__session_to_driver__descriptor) {
		const Quern__SessionToDriver *d = (const Quern__SessionToDriver *)m;

		return (d->hello != NULL) + (d->run != NULL) + (d->cancel != NULL) + (d->unpersist != NULL) +
			       (d->broadcast != NULL) + (d->destroy != NULL) ==
		       1;
	}
	const Quern__SessionToJob *j = (const Quern__SessionToJob *)m;
	return (j->result != NULL) + (j->done != NULL) + (j->taken != NULL) == 1;
}

static int unpack(struct session_reader *r, ProtobufCMessage **ret, struct err *err)
{
	ProtobufCMessage *m = protobuf_c_message_unpack(
		r->type, NULL, r->frame.len - FRAME_HEAD, r->frame.data + FRAME_HEAD);

	if (m == NULL)
		return err_set(
			err, -EBADMSG, "a frame of %zu bytes is not a message", r->frame.len - FRAME_HEAD);
	if (!is_one_of(m)) {
		protobuf_c_message_free_unpacked(m, NULL);
		return err_set(err, -EBADMSG, "a message must say exactly one thing");
	}
	if (r->frame.cap > 1 << 20) /* a large one is rare: its memory is not kept for the next */
		buf_deinit(&r->frame);
	else
		buf_clear(&r->frame);
	*ret = m;
	return 1;
}

static int feed(
	struct session_reader *r, const uint8_t **data, size_t *len, ProtobufCMessage **ret, struct err *err)
{
	if (r->frame.len < FRAME_HEAD) {
		int n = fill(&r->frame, FRAME_HEAD, data, len);

		if (n < 0)
			return err_set(err, n, "out of memory");
		if (n == 0)
			return 0;
	}
	size_t body = frame_length(&r->frame);
	if (body == 0)
		return err_set(err, -EBADMSG, "a frame is empty");
	if (body > r->max)
		return err_set(err, -EMSGSIZE, "a frame of %zu bytes is larger than the %zu that are allowed",
			body, r->max);
	int n = fill(&r->frame, FRAME_HEAD + body, data, len);
	if (n < 0)
		return err_set(err, n, "out of memory");
	return n == 0 ? 0 : unpack(r, ret, err);
}

int session_feed(
	struct session_reader *r, const uint8_t **data, size_t *len, ProtobufCMessage **ret, struct err *err)
{
	if (r->broken)
		return err_set(err, -EBADMSG, "the session is broken");
	int n = feed(r, data, len, ret, err);
	r->broken = n < 0;
	return n;
}

int session_check_hello(
	const Quern__SessionToDriver *m, const uint8_t *build_id, size_t build_id_len, struct err *err)
{
	if (m->hello == NULL)
		return err_set(err, -EPROTO, "the job's process did not begin with a Hello");
	if (m->hello->version != SESSION_VERSION)
		return err_set(err, -EPROTO,
			"the job's process speaks version %u of the session, the driver %u",
			m->hello->version, SESSION_VERSION);
	if (m->hello->build_id.len != build_id_len ||
		memcmp(m->hello->build_id.data, build_id, build_id_len) != 0)
		return err_set(err, -EPROTO, "the job changed on disk while it was started");
	return 0;
}

/* ---- Encoding ---- */

static int put_frame(struct buf *out, const ProtobufCMessage *m, size_t max)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint32_t head = htole32((uint32_t)len);

	if (len > max)
		return -EMSGSIZE;
	int r = buf_reserve(out, FRAME_HEAD + len);
	if (r < 0)
		return r;
	memcpy(out->data + out->len, &head, sizeof(head));
	(void)protobuf_c_message_pack(m, out->data + out->len + FRAME_HEAD);
	out->len += FRAME_HEAD + len;
	return 0;
}

static int put_to_driver(struct buf *out, const Quern__SessionToDriver *m)
{
	return put_frame(out, &m->base, SESSION_TO_DRIVER_MAX);
}

int session_put_hello(struct buf *out, const uint8_t *build_id, size_t build_id_len)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Hello hello = QUERN__SESSION_TO_DRIVER__HELLO__INIT;

	hello.version = SESSION_VERSION;
	hello.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)build_id, .len = build_id_len };
	m.hello = &hello;
	return put_to_driver(out, &m);
}

int session_put_run(struct buf *out, const Quern__Run *run)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;

	m.run = (Quern__Run *)run;
	return put_to_driver(out, &m);
}

int session_put_cancel(struct buf *out, uint32_t run)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Cancel cancel = QUERN__SESSION_TO_DRIVER__CANCEL__INIT;

	cancel.run = run;
	m.cancel = &cancel;
	return put_to_driver(out, &m);
}

int session_put_unpersist(struct buf *out, uint32_t cache)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Unpersist unpersist = QUERN__SESSION_TO_DRIVER__UNPERSIST__INIT;

	unpersist.cache = cache;
	m.unpersist = &unpersist;
	return put_to_driver(out, &m);
}

int session_put_broadcast(struct buf *out, const Quern__SessionToDriver__Broadcast *broadcast)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;

	m.broadcast = (Quern__SessionToDriver__Broadcast *)broadcast;
	return put_to_driver(out, &m);
}

int session_put_destroy(struct buf *out, uint32_t broadcast)
{
	Quern__SessionToDriver m = QUERN__SESSION_TO_DRIVER__INIT;
	Quern__SessionToDriver__Destroy destroy = QUERN__SESSION_TO_DRIVER__DESTROY__INIT;

	destroy.broadcast = broadcast;
	m.destroy = &destroy;
	return put_to_driver(out, &m);
}

int session_put_taken(struct buf *out, uint32_t broadcast, const char *error)
{
	Quern__SessionToJob m = QUERN__SESSION_TO_JOB__INIT;
	Quern__SessionToJob__Taken taken = QUERN__SESSION_TO_JOB__TAKEN__INIT;

	taken.broadcast = broadcast;
	taken.error = (char *)error;
	m.taken = &taken;
	return put_frame(out, &m.base, SESSION_TO_JOB_MAX);
}

int session_put_result(struct buf *out, uint32_t run, uint32_t partition, const void *data, size_t len)
{
	Quern__SessionToJob m = QUERN__SESSION_TO_JOB__INIT;
	Quern__SessionToJob__Result result = QUERN__SESSION_TO_JOB__RESULT__INIT;

	result.run = run;
	result.partition = partition;
	result.data = (ProtobufCBinaryData){ .data = (uint8_t *)data, .len = len };
	m.result = &result;
	return put_frame(out, &m.base, SESSION_TO_JOB_MAX);
}

int session_put_done(struct buf *out, uint32_t run, int code, const char *text, Quern__Count *const *totals,
	size_t n_totals)
{
	Quern__SessionToJob m = QUERN__SESSION_TO_JOB__INIT;
	Quern__SessionToJob__Done done = QUERN__SESSION_TO_JOB__DONE__INIT;

	done.run = run;
	done.code = code;
	done.text = (char *)text;
	done.totals = (Quern__Count **)totals;
	done.n_totals = n_totals;
	m.done = &done;
	return put_frame(out, &m.base, SESSION_TO_JOB_MAX);
}
