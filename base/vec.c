#include "base/vec.h"

#include <stdint.h>

int vec_grow_(void **at, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return 0;
	if (*cap > SIZE_MAX / 2 / size)
		return -ENOMEM;

	size_t more = *cap == 0 ? 8 : *cap * 2;
	void *grown = realloc(*at, more * size);
	if (grown == NULL)
		return -ENOMEM;
	*at = grown;
	*cap = more;
	return 0;
}
