#include "job/out.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXCERPT = 60, PATH = 300 /* bytes of a key or a value, and of a path, that a person is shown */ };

struct guard {
	sigjmp_buf back;
	sigset_t mask;
	int code;
	struct err err;
	struct out_task *task;
	jmp_buf *skip; /* see out_skip() */
};

/* quern_fail() has no argument that could lead to its guard, and a worker may have threads of its own. */
static _Thread_local struct guard *current;

int out_guard(void (*run)(void *arg), void *arg, struct out_task *task, struct err *err)
{
	struct guard guard = { .task = task };

	/* User code may be anywhere when it gives up: the signal mask comes back as well. */
	(void)pthread_sigmask(SIG_SETMASK, NULL, &guard.mask);
	if (sigsetjmp(guard.back, 0) != 0) {
		current = NULL;
		return err_set(err, guard.code, "%s", guard.err.text);
	}
	current = &guard;
	run(arg);
	current = NULL;
	return 0;
}

jmp_buf *out_skip(jmp_buf *to)
{
	jmp_buf *before = NULL;

	if (current != NULL) {
		before = current->skip;
		current->skip = to;
	}
	return before;
}

struct tally *out_tally(void)
{
	return current != NULL && current->task != NULL ? current->task->tally : NULL;
}

/* ---- Which record ---- */

static size_t append(struct err *err, size_t at, const char *text)
{
	int n = snprintf(err->text + at, sizeof(err->text) - at, "%s", text);
	size_t left = sizeof(err->text) - 1 - at;

	return at + (n < 0 ? 0 : (size_t)n < left ? (size_t)n : left);
}

static size_t append_excerpt(struct err *err, size_t at, const char *what, quern_slice bytes)
{
	at = append(err, at, what);
	for (size_t i = 0; i < bytes.len && i < EXCERPT; i++) {
		const unsigned char c = (unsigned char)bytes.ptr[i];
		char one[8];

		(void)snprintf(one, sizeof(one), c < ' ' || c >= 0x7f ? "\\x%02x" : "%c", c);
		at = append(err, at, one);
	}
	return append(err, at, bytes.len > EXCERPT ? "...'" : "'");
}

void out_name_record(const struct out_task *task, struct err *err)
{
	const struct out_record *record = task->record;
	size_t at = strlen(err->text);
	char text[PATH + 64];

	if (record == NULL || record->number == 0)
		return;
	at = append(err, at, " (");
	if (task->path != NULL) {
		(void)snprintf(text, sizeof(text), "input '%.*s', ", PATH, task->path);
		at = append(err, at, text);
	} else if (task->from != NULL) {
		at = append(err, at, task->from);
		at = append(err, at, ", ");
	}
	(void)snprintf(text, sizeof(text), "record %llu: ", (unsigned long long)record->number);
	at = append(err, at, text);
	const bool key = record->key.ptr != NULL, value = !key || record->value.ptr != NULL;
	if (key)
		at = append_excerpt(err, at, "key '", record->key);
	if (value)
		at = append_excerpt(err, at, key ? ", value '" : "value '", record->value);
	(void)append(err, at, ")");
}

/* ---- Failing ---- */

/* In quern_main() and what it calls. */
static _Noreturn void end_job(const char *format, va_list ap)
{
	(void)fputs("quern: ", stderr);
	(void)vfprintf(stderr, format, ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/* Ends the task, with the text in guard->err. */
static _Noreturn void leave(struct guard *guard, int code)
{
	guard->code = code;
	if (guard->task != NULL)
		out_name_record(guard->task, &guard->err);
	(void)pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
	siglongjmp(guard->back, 1);
}

/* The guard of this thread, with the text in guard->err. Outside of one the job ends. */
static struct guard *guard_with(const char *format, va_list ap)
{
	struct guard *guard = current;

	if (guard == NULL)
		end_job(format, ap);
	(void)vsnprintf(guard->err.text, sizeof(guard->err.text), format, ap);
	return guard;
}

void quern_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	struct guard *guard = guard_with(format, ap);
	va_end(ap);
	leave(guard, -ECANCELED);
}

void quern_bad_record(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	struct guard *guard = guard_with(format, ap);
	va_end(ap);
	struct tally *tally = out_tally();
	if (guard->skip == NULL || tally == NULL || tally->bad >= tally->bad_max)
		leave(guard, -EBADMSG);
	out_name_record(guard->task, &guard->err);
	tally_bad(tally, guard->err.text);
	(void)pthread_sigmask(SIG_SETMASK, &guard->mask, NULL);
	longjmp(*guard->skip, 1);
}

/* ---- Emitting ---- */

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
		quern_bad_record("%s: %zu bytes are not a number, which has 8", function, value.len);
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
