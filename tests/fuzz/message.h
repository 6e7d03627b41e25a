/* message.h: what every decoder of Mesos messages must stand: any bytes are a message or an error, and what
 * was decoded comes back the same from either media type. */
#ifndef QUERN_TESTS_FUZZ_MESSAGE_H
#define QUERN_TESTS_FUZZ_MESSAGE_H

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "mesos/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline ProtobufCMessage *message_decode(
	const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data, size_t len)
{
	ProtobufCMessage *m = NULL;
	struct err err = { "" };

	int r = mesos_decode(type, media, data, len, &m, &err);
	assert((r == 0) == (m != NULL));
	assert(r == 0 || (r == -EBADMSG && err.text[0] != '\0') || r == -ENOMEM);
	return m;
}

/* Encodes and decodes again; frees `m`. NULL: it could not be decoded. */
static inline ProtobufCMessage *message_again(
	ProtobufCMessage *m, enum mesos_media media, struct buf *ret_bytes)
{
	*ret_bytes = BUF_INIT(SIZE_MAX);
	int r = mesos_encode(m, media, ret_bytes);
	assert(r == 0);
	ProtobufCMessage *back = message_decode(m->descriptor, media, ret_bytes->data, ret_bytes->len);
	protobuf_c_message_free_unpacked(m, NULL);
	return back;
}

static inline void message_assert_same(struct buf *a, struct buf *b)
{
	assert(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
	buf_deinit(a);
	buf_deinit(b);
}

static inline void message_round(ProtobufCMessage *m)
{
	struct buf one, two;

	m = message_again(m, MESOS_PROTOBUF, &one);
	assert(m != NULL);
	m = message_again(m, MESOS_PROTOBUF, &two);
	assert(m != NULL);
	message_assert_same(&one, &two);
	/* JSON leaves out an enum's value that has no name, or refuses it where there must be one; then it is
	 * stable. */
	m = message_again(m, MESOS_JSON, &one);
	buf_deinit(&one);
	if (m == NULL)
		return;
	m = message_again(m, MESOS_JSON, &one);
	assert(m != NULL);
	m = message_again(m, MESOS_JSON, &two);
	assert(m != NULL);
	message_assert_same(&one, &two);
	protobuf_c_message_free_unpacked(m, NULL);
}

static inline void message_fuzz(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
	for (enum mesos_media media = MESOS_PROTOBUF; media <= MESOS_JSON; media++) {
		ProtobufCMessage *m = message_decode(type, media, data, size);

		if (m != NULL)
			message_round(m);
	}
}

#endif
