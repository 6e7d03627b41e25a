/* What the two sides of a session read. The first byte: bit 0 says which side, the others how many bytes at a
 * time. Any division of the bytes gives the same messages and the same end. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "job/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	size_t messages;
	struct buf packed; /* all of them */
	int end;           /* 0, or what broke it */
	bool at_border;
};

static void take(struct outcome *o, ProtobufCMessage *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);

	int r = buf_reserve(&o->packed, len + 1);
	assert(r == 0);
	(void)protobuf_c_message_pack(m, o->packed.data + o->packed.len);
	o->packed.len += len;
	o->messages++;
	protobuf_c_message_free_unpacked(m, NULL);
}

static void feed(bool driver, const uint8_t *data, size_t size, size_t piece, struct outcome *o)
{
	struct session_reader r;
	struct err err = { "" };

	*o = (struct outcome){ .packed = BUF_INIT(SIZE_MAX) };
	(driver ? session_reader_driver : session_reader_job)(&r);
	while (size > 0 && o->end == 0) {
		const uint8_t *p = data;
		size_t left = piece < size ? piece : size, all = left;
		ProtobufCMessage *m = NULL;

		int got = session_feed(&r, &p, &left, &m, &err);
		assert(got <= 1 && (got == 1) == (m != NULL));
		assert(got != 0 || left == 0);
		if (got < 0) {
			assert(got == -EBADMSG || got == -EMSGSIZE || got == -ENOMEM);
			o->end = got;
			got = session_feed(&r, &p, &left, &m, &err);
			assert(got == -EBADMSG);
			break;
		}
		if (got == 1)
			take(o, m);
		data += all - left;
		size -= all - left;
	}
	o->at_border = session_at_border(&r);
	session_reader_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size == 0)
		return 0;
	feed(data[0] & 1, data + 1, size - 1, size, &whole);
	feed(data[0] & 1, data + 1, size - 1, 1 + data[0] / 2U, &pieces);
	assert(whole.messages == pieces.messages && whole.end == pieces.end);
	assert(whole.end != 0 || whole.at_border == pieces.at_border);
	assert(whole.packed.len == pieces.packed.len);
	assert(whole.packed.len == 0 || memcmp(whole.packed.data, pieces.packed.data, whole.packed.len) == 0);
	buf_deinit(&whole.packed);
	buf_deinit(&pieces.packed);
	return 0;
}
