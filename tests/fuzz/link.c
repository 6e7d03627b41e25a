/* The messages between the driver and its executors. The first byte says which: any bytes are a message or
 * nothing, and what was decoded is the same after another trip. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "job/link.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = { &quern__to_driver__descriptor,
	&quern__to_executor__descriptor, &quern__task_data__descriptor, &quern__executor_data__descriptor,
	&quern__task_result__descriptor };
enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* Frees `m`. */
static uint8_t *pack(ProtobufCMessage *m, size_t *ret_len)
{
	*ret_len = protobuf_c_message_get_packed_size(m);
	uint8_t *packed = malloc(*ret_len + 1);

	assert(packed != NULL);
	size_t len = protobuf_c_message_pack(m, packed);
	assert(len == *ret_len);
	protobuf_c_message_free_unpacked(m, NULL);
	return packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const ProtobufCMessageDescriptor *type = size > 0 ? types[data[0] % TYPES] : NULL;
	ProtobufCMessage *m = type != NULL ? protobuf_c_message_unpack(type, NULL, size - 1, data + 1) : NULL;
	size_t one_len, two_len;

	if (m == NULL)
		return 0;
	uint8_t *one = pack(m, &one_len);
	m = protobuf_c_message_unpack(type, NULL, one_len, one);
	/* A field with the number 0, in more bytes than it needs, is kept as unknown, and refused in its
	 * shortest form. */
	if (m != NULL) {
		uint8_t *two = pack(m, &two_len);

		assert(one_len == two_len && memcmp(one, two, one_len) == 0);
		free(two);
	}
	free(one);
	return 0;
}
