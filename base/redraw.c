#include "base/redraw.h"

#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 100, COLUMNS_DEFAULT = 80, COLUMNS_MAX = 200 };

void redraw_init(struct redraw *r, FILE *out, bool quiet)
{
	*r = (struct redraw){ .out = out, .on = !quiet && isatty(fileno(out)) == 1 };
}

bool redraw_due(const struct redraw *r, uint64_t now_ms)
{
	return r->on && (!r->drawn || now_ms - r->drawn_ms >= REDRAW_MS);
}

static int columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

void redraw_show(struct redraw *r, const char *line, uint64_t now_ms)
{
	(void)fprintf(r->out, "\r\033[K%.*s", columns(r->out) - 1, line);
	(void)fflush(r->out);
	r->drawn = true;
	r->drawn_ms = now_ms;
}

void redraw_clear(struct redraw *r)
{
	if (!r->drawn)
		return;
	(void)fputs("\r\033[K", r->out);
	(void)fflush(r->out);
	r->drawn = false;
}

void redraw_remaining(char *ret, size_t size, uint64_t done, uint64_t all, uint64_t passed_ms)
{
	ret[0] = '\0';
	if (done == 0 || done >= all || passed_ms < 1000)
		return;
	double left_s = (double)passed_ms * (double)(all - done) / (double)done / 1000;
	if (left_s < 120)
		(void)snprintf(ret, size, ", %.0f s left", left_s);
	else
		(void)snprintf(ret, size, ", %.0f min left", left_s / 60);
}
