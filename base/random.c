#include "base/random.h"

#include <stdio.h>
#include <string.h>

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void random_uuid(uint64_t *state, uint8_t ret[RANDOM_UUID])
{
	const uint64_t first = random_next(state), second = random_next(state);

	memcpy(ret, &first, sizeof(first));
	memcpy(ret + sizeof(first), &second, sizeof(second));
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x40); /* version */
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80); /* variant */
}

void random_uuid_text(uint64_t *state, char ret[RANDOM_UUID_TEXT])
{
	uint8_t u[RANDOM_UUID];

	random_uuid(state, u);
	(void)snprintf(ret, RANDOM_UUID_TEXT,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
		u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}
