#include "scheduler/progress.h"

enum { BAR = 24, LINE_MAX_BYTES = 256 };

void progress_init(struct progress *p, FILE *out, bool quiet)
{
	*p = (struct progress){ 0 };
	redraw_init(&p->line, out, quiet);
}

static void compose(char *ret, size_t size, const struct sched_progress *now, uint64_t passed_ms)
{
	char bar[BAR + 1], left[32], failed[48];

	if (!now->subscribed || now->tasks == 0) {
		(void)snprintf(ret, size, "%s, %u executors", now->subscribed ? "subscribed" : "connecting",
			now->executors);
		return;
	}
	uint32_t full = (uint32_t)((uint64_t)now->tasks_done * BAR / now->tasks);
	for (uint32_t i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = '\0';
	redraw_remaining(left, sizeof(left), now->tasks_done, now->tasks, passed_ms);
	failed[0] = '\0';
	if (now->tasks_failed > 0)
		(void)snprintf(failed, sizeof(failed), ", %u attempts failed", now->tasks_failed);
	(void)snprintf(ret, size, "stage %u/%u [%s] %u/%u tasks, %u running%s, %u executors, %u slots held%s",
		now->stages_done < now->stages ? now->stages_done + 1 : now->stages, now->stages, bar,
		now->tasks_done, now->tasks, now->tasks_running, failed, now->executors, now->slots_held,
		left);
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
