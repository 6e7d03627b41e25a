#include "mesos/codec.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "mesos/json.h"

/* ---- Depth and field numbers. protobuf-c's parser recurses without a limit and takes numbers that it cannot
 * write, so what it is given is looked at first. ---- */

static int read_varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (*p == end)
			return -EBADMSG;
		uint8_t byte = *(*p)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

enum { FIELD_MAX = (1 << 29) - 1 };                                 /* the greatest number of a field */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 }; /* protobuf's encoding: wire types */

static int check_depth(
	const ProtobufCMessageDescriptor *type, const uint8_t *p, const uint8_t *end, int depth)
{
	if (depth > MESSAGE_DEPTH_MAX)
		return -EBADMSG;
	while (p < end) {
		uint64_t tag, n = 0;

		if (read_varint(&p, end, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > FIELD_MAX)
			return -EBADMSG;
		switch (tag & 7) {
		case WIRE_VARINT:
			if (read_varint(&p, end, &n) < 0)
				return -EBADMSG;
			n = 0;
			break;
		case WIRE_64:
			n = 8;
			break;
		case WIRE_32:
			n = 4;
			break;
		case WIRE_BYTES:
			if (read_varint(&p, end, &n) < 0)
				return -EBADMSG;
			break;
		default:
			return -EBADMSG;
		}
		if (n > (uint64_t)(end - p))
			return -EBADMSG;
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
		if ((tag & 7) == WIRE_BYTES && field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
			check_depth(field->descriptor, p, p + n, depth + 1) < 0)
			return -EBADMSG;
		p += n;
	}
	return 0;
}

static int decode_protobuf(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
	ProtobufCMessage **ret, struct err *err)
{
	const uint8_t *bytes = data;

	ProtobufCMessage *m = len == 0 || check_depth(type, bytes, bytes + len, 0) == 0
				      ? protobuf_c_message_unpack(type, NULL, len, bytes)
				      : NULL;
	if (m == NULL || !protobuf_c_message_check(m)) {
		if (m != NULL)
			protobuf_c_message_free_unpacked(m, NULL);
		return err_set(err, -EBADMSG, "%zu bytes that are not a %s", len, type->name);
	}
	*ret = m;
	return 0;
}

static int decode_json(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
	ProtobufCMessage **ret, struct err *err)
{
	json_error_t why;
	json_t *object = json_loadb(data, len, 0, &why);

	if (object == NULL)
		return err_set(err, -EBADMSG, "not JSON: %s at line %d", why.text, why.line);
	int r = json_to_message(object, type, ret, err);
	json_decref(object);
	return r;
}

int mesos_decode(const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data, size_t len,
	ProtobufCMessage **ret, struct err *err)
{
	return media == MESOS_JSON ? decode_json(type, data, len, ret, err)
				   : decode_protobuf(type, data, len, ret, err);
}

static int encode_json(const ProtobufCMessage *message, struct buf *out)
{
	json_t *object = json_from_message(message);

	if (object == NULL)
		return -ENOMEM;
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	int r = text == NULL ? -ENOMEM : buf_add_str(out, text);
	free(text);
	return r;
}

int mesos_encode(const ProtobufCMessage *message, enum mesos_media media, struct buf *out)
{
	if (media == MESOS_JSON)
		return encode_json(message, out);
	size_t len = protobuf_c_message_get_packed_size(message);
	int r = buf_reserve(out, len);
	if (r < 0 || len == 0)
		return r;
	out->len += protobuf_c_message_pack(message, out->data + out->len);
	return 0;
}
