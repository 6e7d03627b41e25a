/* What a hosted driver is told: any bytes are a job or an error, and a job gives options or an error. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>

#include "cli/submission_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Quern__Submission *m = NULL;
	struct run_options o;
	struct err err = { "" };

	int r = submission_unpack(data, size, &m, &err);
	assert((r == 0) == (m != NULL));
	assert(r == 0 || err.text[0] != '\0');
	if (r < 0)
		return 0;
	r = options_init(&o, &err);
	if (r == 0)
		r = submission_options(m, "/nonexistent", &o, &err);
	assert(r <= 0 && (r == 0 || err.text[0] != '\0'));
	assert(r < 0 || (o.name != NULL && !o.cluster.master.local));
	options_deinit(&o);
	submission_free_message(m);
	return 0;
}
