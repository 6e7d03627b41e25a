#include "scheduler/progress.h"

enum { BAR = 24, LINE_MAX_BYTES = 256 };

void progress_init(struct progress *p, FILE *out, bool quiet)
{
	*p = (struct progress){ 0 };
	redraw_init(&p->line, out, quiet);
}

/* With commas: 1,204. */
static void grouped(char ret[32], uint64_t n)
{
	char digits[24];
	size_t at = 0;
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			ret[at++] = ',';
		ret[at++] = digits[i];
	}
	ret[at] = '\0';
}

static const char *s_of(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Rounded down: all is all. */
static unsigned percent(const struct sched_locality *l, uint64_t all)
{
	return (unsigned)((double)(l->cached + l->host) * 100 / (double)all);
}

int progress_locality(char *ret, size_t size, const struct sched_locality *l)
{
	uint64_t all = l->cached + l->host + l->elsewhere;
	char tasks[32], cached[32];

	if (all == 0)
		return 0;
	grouped(tasks, all);
	grouped(cached, l->cached);
	(void)snprintf(ret, size, "%u %% of %s task%s ran where their data is%s%s%s", percent(l, all), tasks,
		s_of(all), l->cached > 0 ? ", " : "", l->cached > 0 ? cached : "",
		l->cached > 0 ? " with it in memory" : "");
	return 1;
}

static void compose(char *ret, size_t size, const struct sched_progress *now, uint64_t passed_ms)
{
	char bar[BAR + 1], left[32], failed[48], local[24];
	const struct sched_locality *l = &now->locality;

	if (!now->subscribed || now->tasks == 0) {
		(void)snprintf(ret, size, "%s, %u executor%s", now->subscribed ? "subscribed" : "connecting",
			now->executors, s_of(now->executors));
		return;
	}
	uint32_t full = (uint32_t)((uint64_t)now->tasks_done * BAR / now->tasks);
	for (uint32_t i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = '\0';
	redraw_remaining(left, sizeof(left), now->tasks_done, now->tasks, passed_ms);
	failed[0] = '\0';
	if (now->tasks_failed > 0)
		(void)snprintf(failed, sizeof(failed), ", %u attempt%s failed", now->tasks_failed,
			s_of(now->tasks_failed));
	local[0] = '\0';
	if (l->cached + l->host + l->elsewhere > 0)
		(void)snprintf(local, sizeof(local), ", %u %% local",
			percent(l, l->cached + l->host + l->elsewhere));
	(void)snprintf(ret, size,
		"stage %u/%u [%s] %u/%u tasks, %u running%s%s, %u executor%s, %u slot%s held%s",
		now->stages_done < now->stages ? now->stages_done + 1 : now->stages, now->stages, bar,
		now->tasks_done, now->tasks, now->tasks_running, failed, local, now->executors,
		s_of(now->executors), now->slots_held, s_of(now->slots_held), left);
}

void progress_show(struct progress *p, const struct sched_progress *now, uint64_t now_ms)
{
	char line[LINE_MAX_BYTES];

	if (!redraw_due(&p->line, now_ms))
		return;
	if (now->run != p->run || p->run_ms == 0) {
		p->run = now->run;
		p->run_ms = now_ms;
	}
	compose(line, sizeof(line), now, now_ms - p->run_ms);
	redraw_show(&p->line, line, now_ms);
}

void progress_clear(struct progress *p)
{
	redraw_clear(&p->line);
}
