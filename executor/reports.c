#include "executor/reports.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/write.h"

static const char COUNTER[] = "reporter:counter:", STATUS[] = "reporter:status:";

void reports_init(struct reports *r, int fd, reports_count_fn *count, void *arg)
{
	*r = (struct reports){ .fd = fd, .count = count, .arg = arg, .line = BUF_INIT(REPORTS_LINE_MAX + 1) };
}

void reports_deinit(struct reports *r)
{
	buf_deinit(&r->line);
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* "GROUP,NAME,N". The text is changed. false: it is something else. */
static bool take_counter(const struct reports *r, char *text)
{
	char *name = strchr(text, ','), *number = name != NULL ? strchr(name + 1, ',') : NULL, *end;

	if (number == NULL || name == text || number == name + 1)
		return false;
	*name++ = '\0';
	*number++ = '\0';
	errno = 0;
	int64_t n = strtoll(number, &end, 10);
	if (errno != 0 || end == number || end[strspn(end, " \t\r")] != '\0') {
		name[-1] = number[-1] = ','; /* as it was */
		return false;
	}
	r->count(r->arg, text, name, n);
	return true;
}

static void keep(char kept[REPORTS_KEPT], const char *text)
{
	size_t len = strnlen(text, REPORTS_KEPT - 1);

	memcpy(kept, text, len);
	kept[len] = '\0';
}

/* One that is complete, with a NUL behind it and without its newline. true: it was a report. */
static bool take_report(struct reports *r, char *line, size_t len)
{
	if (strlen(line) != len) /* it has a NUL in it */
		return false;
	if (begins(line, COUNTER))
		return take_counter(r, line + strlen(COUNTER));
	if (!begins(line, STATUS))
		return false;
	keep(r->status, line + strlen(STATUS));
	return true;
}

/* Empties the line. `end`: its newline, or nothing. A standard error that takes nothing is no reason to fail.
 */
static void pass_on(struct reports *r, const char *end)
{
	const char *line = (const char *)r->line.data;

	line += strspn(line, " \t\r");
	if (*line != '\0')
		keep(r->last, line);
	r->line.len += strlen(end);
	memcpy(r->line.data + r->line.len - strlen(end), end, strlen(end));
	(void)write_all(r->fd, r->line.data, r->line.len);
	buf_clear(&r->line);
}

/* Adds bytes without a newline to the line. */
static void add(struct reports *r, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = REPORTS_LINE_MAX - r->line.len;

		if (n > len)
			n = len;
		if (buf_add(&r->line, data, n) < 0 || buf_reserve(&r->line, 1) < 0)
			return; /* no memory: it is lost */
		r->line.data[r->line.len] = '\0';
		data += n;
		len -= n;
		if (r->line.len == REPORTS_LINE_MAX)
			pass_on(r, "");
	}
}

static void end_line(struct reports *r, const char *end)
{
	if (buf_reserve(&r->line, 1) < 0)
		return;
	r->line.data[r->line.len] = '\0';
	if (take_report(r, (char *)r->line.data, r->line.len))
		buf_clear(&r->line);
	else
		pass_on(r, end);
}

void reports_take(struct reports *r, const char *data, size_t len)
{
	const char *newline;

	while (len > 0 && (newline = memchr(data, '\n', len)) != NULL) {
		add(r, data, (size_t)(newline - data));
		end_line(r, "\n");
		len -= (size_t)(newline - data) + 1;
		data = newline + 1;
	}
	add(r, data, len);
}

void reports_end(struct reports *r)
{
	if (r->line.len > 0)
		end_line(r, "");
}
