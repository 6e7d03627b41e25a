/* err.h: one human sentence about what went wrong.
 *
 * A function that can fail returns int: 0, a negative errno, or a positive condition of its own (documented
 * in its header, for the direct caller alone). With a negative result the sentence stands in the caller's
 * struct err. */
#ifndef QUERN_BASE_ERR_H
#define QUERN_BASE_ERR_H

#include <stdarg.h>

struct err {
	char text[1024]; /* "" when nothing was said; always terminated */
};

/* Sets the sentence of `err` (which may be NULL: then nobody wants it) and returns `code`, so that a failing
 * line is one line. A text that is too long is cut. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that is there. Returns `code`. */
int err_prefix(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* err_set() with ": " and the system's words for -code at the end. `code` is a negative errno. */
int err_errno(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
