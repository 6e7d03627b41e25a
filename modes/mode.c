#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modes/policy.h"

static const struct mode_ops *const modes[] = { &mode_coarse, &mode_fine };

static const char *const names[] = { "coarse", "fine", NULL };

const struct mode_ops *mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i]->name, name) == 0)
			return modes[i];
	return NULL;
}

const char *const *mode_names(void)
{
	return names;
}

int mode_new(const struct mode_config *config, struct mode **ret)
{
	struct mode *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->config = *config;
	m->empty_ms = UINT64_MAX;
	m->settled = UINT32_MAX;
	*ret = m;
	return 0;
}

struct mode *mode_free(struct mode *m)
{
	free(m);
	return NULL;
}

uint32_t policy_target(const struct mode *m, const struct mode_view *v)
{
	uint32_t max = m->config.max_slots;

	return max != 0 && max < v->wanted ? max : v->wanted;
}

uint32_t policy_missing(const struct mode *m, const struct mode_view *v, uint32_t fits)
{
	uint32_t target = policy_target(m, v);
	uint32_t missing = v->held < target ? target - v->held : 0;

	return fits < missing ? fits : missing;
}
