/* JSON to messages of the kinds that hold every type of field; the first byte chooses. */
#include <jansson.h>

#include "mesos/executor.pb-c.h"
#include "mesos/json.h"
#include "mesos/scheduler.pb-c.h"
#include "tests/fuzz/message.h"

static const ProtobufCMessageDescriptor *const types[] = {
	&mesos__v1__scheduler__event__descriptor,
	&mesos__v1__scheduler__call__descriptor,
	&mesos__v1__executor__event__descriptor,
	&mesos__v1__executor__call__descriptor,
	&mesos__v1__resource__descriptor,
	&mesos__v1__task_status__descriptor,
	&mesos__v1__container_id__descriptor,
	&mesos__v1__master_info__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof(types) / sizeof(*types))];
	ProtobufCMessage *m = message_decode(type, MESOS_JSON, data + 1, size - 1);
	if (m == NULL)
		return 0;
	assert(protobuf_c_message_check(m));
	json_t *object = json_from_message(m);
	assert(object != NULL);
	json_decref(object);
	message_round(m);
	return 0;
}
