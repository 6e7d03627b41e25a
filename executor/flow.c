#include "executor/flow.h"

#include <stdarg.h>
#include <stdio.h>

void flow_fail(struct flow *flow, int code, bool final, const char *format, ...)
{
	va_list ap;

	flow->stop = true;
	if (flow->result < 0)
		return;
	flow->result = code;
	flow->final = final;
	va_start(ap, format);
	(void)vsnprintf(flow->err.text, sizeof(flow->err.text), format, ap);
	va_end(ap);
}

void flow_fail_err(struct flow *flow, int code, const struct err *err)
{
	flow_fail(flow, code, false, "%s", err->text);
}
