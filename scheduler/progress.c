#include "scheduler/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 100, BAR = 24, COLUMNS_DEFAULT = 80, COLUMNS_MAX = 200 };

void progress_init(struct progress *p, FILE *out, bool quiet)
{
	*p = (struct progress){ .out = out, .on = !quiet && isatty(fileno(out)) == 1 };
}

static int columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* "12 s", "3 min": what is left, by the rate so far; "" while there is none. */
static void remaining(char *ret, size_t size, const struct sched_progress *now, uint64_t passed_ms)
{
	ret[0] = '\0';
	if (now->tasks_done == 0 || now->tasks_done >= now->tasks || passed_ms < 1000)
		return;
	uint64_t left_s = passed_ms * (now->tasks - now->tasks_done) / now->tasks_done / 1000;
	if (left_s < 120)
		(void)snprintf(ret, size, ", %llu s left", (unsigned long long)left_s);
	else
		(void)snprintf(ret, size, ", %llu min left", (unsigned long long)(left_s / 60));
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
	remaining(left, sizeof(left), now, passed_ms);
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
	char line[COLUMNS_MAX + 1];

	if (!p->on || (p->drawn && now_ms - p->drawn_ms < REDRAW_MS))
		return;
	if (now->run != p->run || p->run_ms == 0) {
		p->run = now->run;
		p->run_ms = now_ms;
	}
	compose(line, sizeof(line), now, now_ms - p->run_ms);
	(void)fprintf(p->out, "\r\033[K%.*s", columns(p->out) - 1, line);
	(void)fflush(p->out);
	p->drawn = true;
	p->drawn_ms = now_ms;
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	(void)fputs("\r\033[K", p->out);
	(void)fflush(p->out);
	p->drawn = false;
}
