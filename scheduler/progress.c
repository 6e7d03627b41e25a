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
		all == 1 ? "" : "s", l->cached > 0 ? ", " : "", l->cached > 0 ? cached : "",
		l->cached > 0 ? " with it in memory" : "");
	return 1;
}

static void compose(char *ret, size_t size, const struct sched_progress *now, uint64_t passed_ms)
{
	char bar[BAR + 1], left[32], failed[48], local[24];
	const struct sched_locality *l = &now->locality;

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
	local[0] = '\0';
	if (l->cached + l->host + l->elsewhere > 0)
		(void)snprintf(local, sizeof(local), ", %u %% local",
			percent(l, l->cached + l->host + l->elsewhere));
	(void)snprintf(ret, size,
		"stage %u/%u [%s] %u/%u tasks, %u running%s%s, %u executors, %u slots held%s",
		now->stages_done < now->stages ? now->stages_done + 1 : now->stages, now->stages, bar,
		now->tasks_done, now->tasks, now->tasks_running, failed, local, now->executors,
		now->slots_held, left);
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
