/* roles.c: a list of roles: what is taken is a list of good names, and joined again it is what it was. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "mesos/roles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = strndup((const char *)data, size);
	struct err err = { "" };
	char **list = NULL;

	if (text == NULL)
		return 0;
	int r = roles_parse(text, &list, &err);
	assert(r == 0 || (r == -EINVAL && list == NULL && err.text[0] != '\0'));
	if (r < 0)
		return 0;
	const char *at = text;
	for (size_t i = 0; list[i] != NULL; i++) {
		size_t len = strlen(list[i]);

		assert(len > 0 && roles_check(list[i], NULL) == 0);
		assert(strncmp(at, list[i], len) == 0 && at[len] == (list[i + 1] != NULL ? ',' : '\0'));
		at += len + 1;
		for (size_t j = 0; j < i; j++)
			assert(strcmp(list[i], list[j]) != 0);
	}
	roles_free(list);
	return 0;
}
