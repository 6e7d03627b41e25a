/* A master's answer: any message that is one gives jobs with texts, and each is found by its id. */
#include <stdlib.h>

#include "cli/jobs.h"
#include "tests/fuzz/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ProtobufCMessage *m =
		message_decode(&mesos__v1__master__response__descriptor, MESOS_PROTOBUF, data, size);
	job_list jobs;

	message_fuzz(&mesos__v1__master__response__descriptor, data, size);
	if (m == NULL)
		return 0;
	if (jobs_list((const Mesos__V1__Master__Response *)m, &jobs) == 0) {
		for (size_t i = 0; i < jobs.n; i++) {
			const struct job *j = &jobs.at[i], *found = NULL;

			assert(j->id != NULL && j->name != NULL && j->user != NULL && j->mode != NULL &&
				j->host != NULL && job_state_name(j->state) != NULL);
			assert((j->agent == NULL) == (j->sandbox == NULL));
			assert(jobs_find(&jobs, j->id, &found, NULL) == 0 && strcmp(found->id, j->id) == 0);
			assert(i == 0 || !job_is_over(&jobs.at[i - 1]) || job_is_over(j));
		}
		vec_deinit(&jobs);
	}
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}
