/* The target of a request for map output: what is taken for one is printed as it was. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/proof.h"
#include "executor/shuffle_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shuffle_request request;
	char printed[64];
	char *target = malloc(size + 1);

	if (target == NULL)
		return 0;
	if (size > 0)
		memcpy(target, data, size);
	target[size] = '\0';
	if (shuffle_request_parse(target, &request) == 0) {
		shuffle_request_print(&request, printed);
		assert(strcmp(printed, target) == 0);
	}
	assert(!proof_holds(target, "Quern 00") || strcmp(target, "Quern 00") == 0);
	free(target);
	return 0;
}
