#include "executor/shuffle_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char request_prefix[] = "/shuffle";

/* Reads "/NUMBER". NULL: it is not one. One number has one spelling: no sign, no leading zero. */
static const char *parse_number(const char *p, uint32_t *ret)
{
	uint64_t v = 0;

	if (*p++ != '/' || !isdigit((unsigned char)*p) || (p[0] == '0' && isdigit((unsigned char)p[1])))
		return NULL;
	for (; isdigit((unsigned char)*p); p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return NULL;
	}
	*ret = (uint32_t)v;
	return p;
}

int shuffle_request_parse(const char *target, struct shuffle_request *ret)
{
	struct shuffle_request q;
	uint32_t *const fields[] = { &q.name.shuffle, &q.name.map, &q.name.attempt, &q.partition };
	const char *p = target + sizeof(request_prefix) - 1;

	if (strncmp(target, request_prefix, sizeof(request_prefix) - 1) != 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		p = parse_number(p, fields[i]);
		if (p == NULL)
			return -EINVAL;
	}
	if (*p != '\0')
		return -EINVAL;
	*ret = q;
	return 0;
}

void shuffle_request_print(const struct shuffle_request *request, char ret[64])
{
	(void)snprintf(ret, 64, "%s/%u/%u/%u/%u", request_prefix, request->name.shuffle, request->name.map,
		request->name.attempt, request->partition);
}
