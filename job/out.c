#include "job/out.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct guard {
	sigjmp_buf back;
	char text[sizeof(((struct err *)NULL)->text)];
};

/* quern_fail() has no argument that could lead to its guard, and a worker may have threads of its own. */
static _Thread_local struct guard *current;

int out_guard(void (*run)(void *arg), void *arg, struct err *err)
{
	struct guard guard;

	/* The signal mask comes back as well: user code may be anywhere when it gives up. */
	if (sigsetjmp(guard.back, 1) != 0) {
		current = NULL;
		return err_set(err, -ECANCELED, "%s", guard.text);
	}
	current = &guard;
	run(arg);
	current = NULL;
	return 0;
}

void quern_fail(const char *format, ...)
{
	struct guard *guard = current;
	va_list ap;

	va_start(ap, format);
	if (guard == NULL) {
		(void)fputs("quern: ", stderr);
		(void)vfprintf(stderr, format, ap);
		va_end(ap);
		(void)fputc('\n', stderr);
		exit(1);
	}
	(void)vsnprintf(guard->text, sizeof(guard->text), format, ap);
	va_end(ap);
	siglongjmp(guard->back, 1);
}

void quern_emit(quern_out *out, quern_slice key, quern_slice value)
{
	if (key.ptr == NULL)
		key.ptr = ""; /* it is empty; NULL would say that there is none */
	out->emit(out, key, value);
}

void quern_put(quern_out *out, quern_slice value)
{
	out->emit(out, quern_bytes(NULL, 0), value);
}

bool quern_next_value(quern_values *values, quern_slice *value)
{
	return values->next(values, value);
}

void quern_emit_u64(quern_out *out, quern_slice key, uint64_t value)
{
	uint64_t bits = htole64(value);

	quern_emit(out, key, quern_bytes(&bits, sizeof(bits)));
}

void quern_emit_i64(quern_out *out, quern_slice key, int64_t value)
{
	quern_emit_u64(out, key, (uint64_t)value);
}

void quern_emit_double(quern_out *out, quern_slice key, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	quern_emit_u64(out, key, bits);
}

bool quern_next(quern_records *records, quern_slice *key, quern_slice *value)
{
	return records->next(records, key, value);
}

static uint64_t number(quern_slice value, const char *function)
{
	uint64_t bits;

	if (value.len != sizeof(bits))
		quern_fail("%s: a value of %zu bytes is not a number, which has 8", function, value.len);
	memcpy(&bits, value.ptr, sizeof(bits));
	return le64toh(bits);
}

uint64_t quern_as_u64(quern_slice value)
{
	return number(value, "quern_as_u64()");
}

int64_t quern_as_i64(quern_slice value)
{
	return (int64_t)number(value, "quern_as_i64()");
}

double quern_as_double(quern_slice value)
{
	uint64_t bits = number(value, "quern_as_double()");
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}
