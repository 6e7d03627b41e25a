/* refuse.h: allocations that fail when a test says so. For one .c file per program, linked with --wrap for
 * each function below (tests/meson.build). */
#ifndef QUERN_TESTS_REFUSE_H
#define QUERN_TESTS_REFUSE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static long until_failure; /* allocations; 0: none fails */
static bool armed;         /* what is tested is at work, not the test */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *format, va_list ap);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fails(void)
{
	return armed && until_failure > 0 && --until_failure == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

/* The C library leaves *ret undefined when there is no memory. */
int __wrap_vasprintf(char **ret, const char *format, va_list ap)
{
	if (!fails())
		return __real_vasprintf(ret, format, ap);
	*ret = (char *)1;
	return -1;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = __wrap_vasprintf(ret, format, ap);
	va_end(ap);
	return n;
}

static void arm(bool on)
{
	armed = on;
}

#endif
