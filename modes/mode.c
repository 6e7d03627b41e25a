#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "modes/policy.h"

static const struct mode_ops *const modes[] = { &mode_coarse, &mode_fine, &mode_adaptive };

static const char *const names[] = { "coarse", "fine", "adaptive", NULL };

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
	m->empty_ms = m->homeless_ms = UINT64_MAX;
	m->settled = UINT32_MAX;
	*ret = m;
	return 0;
}

struct mode *mode_free(struct mode *m)
{
	free(m);
	return NULL;
}

uint32_t policy_lacking(const struct mode_view *v)
{
	uint64_t there = (uint64_t)v->idle + v->coming;

	return v->runnable > there ? v->runnable - (uint32_t)there : 0;
}

uint32_t policy_needed(const struct mode *m, const struct mode_view *v, uint32_t fits)
{
	uint32_t need = policy_lacking(v), max = m->config.max_slots;
	uint32_t left = max == 0 ? UINT32_MAX : v->held < max ? max - v->held : 0;

	need = need < left ? need : left;
	return need < fits ? need : fits;
}

uint32_t policy_consider_needed(struct mode *m, const struct mode_view *v, const struct mode_offer *o)
{
	return policy_needed(m, v, o->fits);
}

enum mode_start policy_start_at_once(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	return policy_hopeless(m, v, ret_until_ms, why) ? MODE_GIVE_UP : MODE_RUN;
}

uint64_t policy_after(uint64_t since_ms, uint64_t wait_ms)
{
	return wait_ms < UINT64_MAX - since_ms ? since_ms + wait_ms : UINT64_MAX;
}

bool policy_hopeless(struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why)
{
	*ret_until_ms = UINT64_MAX;
	if (!v->homeless) {
		m->homeless_ms = UINT64_MAX;
		return false;
	}
	/* A wait that an earlier action began is none of this one. */
	if (m->homeless_ms == UINT64_MAX || m->homeless_ms < v->since_ms)
		m->homeless_ms = v->now_ms;
	*ret_until_ms = policy_after(m->homeless_ms, m->config.max_registered_wait_ms);
	if (v->now_ms < *ret_until_ms)
		return false;
	*ret_until_ms = UINT64_MAX;
	(void)err_set(why, 0, "None came with more within %llu ms (--max-registered-wait)",
		(unsigned long long)m->config.max_registered_wait_ms);
	return true;
}

bool policy_release_never(struct mode *m, const struct mode_view *v, uint64_t idle_since_ms,
	uint64_t held_since_ms, uint64_t *ret_until_ms)
{
	(void)m;
	(void)v;
	(void)idle_since_ms;
	(void)held_since_ms;
	*ret_until_ms = UINT64_MAX;
	return false;
}
