/* An agent's answers to operators, in both media types. */
#include "mesos/agent.pb-c.h"
#include "tests/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	message_fuzz(&mesos__v1__agent__response__descriptor, data, size);
	return 0;
}
