/* codec.h: messages of Mesos' API to and from bytes, in either of its two media types. JSON is protobuf's
 * JSON mapping as Mesos writes it: field names as in the .proto, enums by name, bytes in base64. */
#ifndef QUERN_MESOS_CODEC_H
#define QUERN_MESOS_CODEC_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum mesos_media { MESOS_PROTOBUF, MESOS_JSON };

#define MESOS_TYPE_PROTOBUF "application/x-protobuf"
#define MESOS_TYPE_JSON     "application/json"

/* Decodes one message; the caller frees it with protobuf_c_message_free_unpacked(). Trusts nothing: 0,
 * -EBADMSG, -ENOMEM; *ret is untouched then. Unknown JSON fields are ignored, as unknown protobuf fields are.
 */
int mesos_decode(const ProtobufCMessageDescriptor *type, enum mesos_media media, const void *data, size_t len,
	ProtobufCMessage **ret, struct err *err);

/* Appends the bytes of `message` to `out`. 0, -ENOMEM, -EMSGSIZE. */
int mesos_encode(const ProtobufCMessage *message, enum mesos_media media, struct buf *out);

#endif
