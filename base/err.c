#include "base/err.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	va_start(ap, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	return code;
}

int err_prefix(struct err *err, int code, const char *format, ...)
{
	char rest[sizeof(err->text)];
	va_list ap;

	if (err == NULL)
		return code;
	memcpy(rest, err->text, sizeof(rest));
	va_start(ap, format);
	int n = vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", rest);
	return code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
	va_list ap;

	if (err == NULL)
		return code;
	va_start(ap, format);
	int n = vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text)) {
		char words[128];

		(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s",
			strerror_r(-code, words, sizeof(words)));
	}
	return code;
}
