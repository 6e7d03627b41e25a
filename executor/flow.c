#include "executor/flow.h"

#include <stdarg.h>
#include <stdio.h>

/* false: a failure stands already. */
static bool fail(struct flow *flow, int code, bool final, const char *format, va_list ap)
{
	flow->stop = true;
	if (flow->result < 0)
		return false;
	flow->result = code;
	flow->final = final;
	(void)vsnprintf(flow->err.text, sizeof(flow->err.text), format, ap);
	return true;
}

void flow_fail(struct flow *flow, int code, bool final, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)fail(flow, code, final, format, ap);
	va_end(ap);
}

void flow_fail_record(struct flow *flow, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (fail(flow, code, true, format, ap) && flow->task != NULL)
		out_name_record(flow->task, &flow->err);
	va_end(ap);
}

void flow_fail_err(struct flow *flow, int code, const struct err *err)
{
	flow_fail(flow, code, false, "%s", err->text);
}
