#include "executor/tail.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void tail_add(struct tail *t, const char *data, size_t len)
{
	if (len > TAIL_BYTES) {
		data += len - TAIL_BYTES;
		len = TAIL_BYTES;
	}
	size_t first = TAIL_BYTES - t->at < len ? TAIL_BYTES - t->at : len;
	memcpy(t->ring + t->at, data, first);
	memcpy(t->ring, data + first, len - first);
	t->at = (t->at + len) % TAIL_BYTES;
	t->held = t->held + len > TAIL_BYTES ? TAIL_BYTES : t->held + len;
}

void tail_reset(struct tail *t)
{
	t->at = t->held = 0;
}

/* In place: no replacement is longer than what it replaces. */
static size_t clean(char *text, size_t len)
{
	uint8_t *p = (uint8_t *)text;
	size_t to = 0, n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len(p + i, len - i);
		if (n == 0 || (n == 1 && (p[i] < ' ' || p[i] == 0x7f) && p[i] != '\n' && p[i] != '\t')) {
			n = 1;
			p[to++] = '?';
			continue;
		}
		memmove(p + to, p + i, n);
		to += n;
	}
	return to;
}

/* Where the last TAIL_LINES lines begin. */
static size_t first_line(const char *text, size_t len, bool whole)
{
	size_t lines = 0, at = len;

	while (at > 0) {
		if (text[at - 1] == '\n' && ++lines == TAIL_LINES)
			return at;
		at--;
	}
	if (whole)
		return 0;
	/* The first is cut: leave it out, unless it is all there is. */
	const char *newline = memchr(text, '\n', len);
	return newline != NULL ? (size_t)(newline - text) + 1 : 0;
}

char *tail_text(const struct tail *t)
{
	char *text = malloc(TAIL_BYTES + 1);

	if (text == NULL)
		return NULL;
	size_t len = t->held, start = (t->at + TAIL_BYTES - len) % TAIL_BYTES;
	size_t first = TAIL_BYTES - start < len ? TAIL_BYTES - start : len;
	memcpy(text, t->ring + start, first);
	memcpy(text + first, t->ring, len - first);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	size_t skip = first_line(text, len, t->held < TAIL_BYTES);
	len -= skip;
	memmove(text, text + skip, len);
	len = clean(text, len);
	text[len] = '\0';
	return text;
}
