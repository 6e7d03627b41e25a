/* The events of the scheduler API, in both media types. */
#include "mesos/scheduler.pb-c.h"
#include "tests/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	message_fuzz(&mesos__v1__scheduler__event__descriptor, data, size);
	return 0;
}
