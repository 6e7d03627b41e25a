/* json.h: protobuf messages to and from JSON, by their descriptors. Behind codec.h. */
#ifndef QUERN_MESOS_JSON_H
#define QUERN_MESOS_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "base/err.h"

enum { MESSAGE_DEPTH_MAX = 64 }; /* messages within messages; protobuf's own parsers stop at 100 */

/* The message as a JSON object, owned by the caller. NULL: no memory. */
json_t *json_from_message(const ProtobufCMessage *message);

/* And back: the caller frees *ret with protobuf_c_message_free_unpacked(). -EBADMSG with a sentence that
 * names the field, or -ENOMEM. */
int json_to_message(const json_t *object, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret,
	struct err *err);

#endif
