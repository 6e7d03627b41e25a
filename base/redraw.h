/* redraw.h: one line on a terminal, redrawn in place, that says how far something is; nothing at all
 * elsewhere. */
#ifndef QUERN_BASE_REDRAW_H
#define QUERN_BASE_REDRAW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct redraw {
	FILE *out;
	bool on;           /* out is a terminal and nobody asked for quiet */
	bool drawn;        /* the line is on the screen */
	uint64_t drawn_ms; /* when it was last redrawn */
};

/* `quiet`: never draw. */
void redraw_init(struct redraw *r, FILE *out, bool quiet);

/* Whether it is time to draw again: ten times a second. */
bool redraw_due(const struct redraw *r, uint64_t now_ms);

/* Puts `line` there, cut to the terminal's width: it has no control characters. */
void redraw_show(struct redraw *r, const char *line, uint64_t now_ms);

/* Takes the line away; to be called before anything else is printed, and at the end. */
void redraw_clear(struct redraw *r);

/* ", 12 s left", ", 3 min left": of `passed_ms` for `done` of `all`; "" while that says nothing. 32 bytes are
 * enough. */
void redraw_remaining(char *ret, size_t size, uint64_t done, uint64_t all, uint64_t passed_ms);

#endif
