/* The calls of the executor API, in both media types. */
#include "mesos/executor.pb-c.h"
#include "tests/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	message_fuzz(&mesos__v1__executor__call__descriptor, data, size);
	return 0;
}
