#include "executor/environment.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "job/shuffle_port.h"

/* Defaults of the agent's flags (src/slave/constants.hpp) for when it does not say. */
enum { GRACE_MS = 5000, BACKOFF_MAX_MS = 2000, RECOVERY_TIMEOUT_MS = 15 * 60 * 1000 };

int duration_parse(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ns", 1e-6 }, { "us", 1e-3 }, { "ms", 1 }, { "secs", 1e3 }, { "mins", 6e4 },
		{ "hrs", 36e5 }, { "days", 864e5 }, { "weeks", 6048e5 } };
	char *end;

	double value = strtod(text, &end);
	if (end == text || !isfinite(value) || value < 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		double ms = value * units[i].ms;
		if (ms > 1e15)
			return -EINVAL;
		*ret_ms = (uint64_t)ms;
		return 0;
	}
	return -EINVAL;
}

static int get_text(char *(*get)(const char *name), const char *name, const char **ret, struct err *err)
{
	*ret = get(name);
	if (*ret == NULL || **ret == '\0')
		return err_set(err, -EINVAL,
			"%s is not set: this program is started by a Mesos agent, as an executor", name);
	return 0;
}

static int get_duration(
	char *(*get)(const char *name), const char *name, uint64_t otherwise, uint64_t *ret, struct err *err)
{
	const char *text = get(name);

	*ret = otherwise;
	if (text == NULL || duration_parse(text, ret) == 0)
		return 0;
	return err_set(err, -EINVAL, "%s: '%s' is not a duration", name, text);
}

static int get_port(char *(*get)(const char *name), const char *name, uint16_t *ret, struct err *err)
{
	const char *text = get(name);
	char *end;

	*ret = 0;
	if (text == NULL)
		return 0;
	unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	if (n == 0 || n > UINT16_MAX || *end != '\0')
		return err_set(err, -EINVAL, "%s: '%s' is not a port", name, text);
	*ret = (uint16_t)n;
	return 0;
}

int environment_read(char *(*get)(const char *name), struct environment *ret, struct err *err)
{
	struct environment e = { 0 };
	const char *checkpoint = get("MESOS_CHECKPOINT");

	int r = get_text(get, "MESOS_FRAMEWORK_ID", &e.framework_id, err);
	if (r == 0)
		r = get_text(get, "MESOS_EXECUTOR_ID", &e.executor_id, err);
	if (r == 0)
		r = get_text(get, "MESOS_AGENT_ENDPOINT", &e.agent, err);
	e.sandbox = get("MESOS_SANDBOX"); /* inside a container of its own file system they differ, and this
					     one holds */
	if (r == 0 && (e.sandbox == NULL || *e.sandbox == '\0'))
		r = get_text(get, "MESOS_DIRECTORY", &e.sandbox, err);
	if (r == 0)
		r = get_duration(get, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", GRACE_MS, &e.grace_ms, err);
	if (r == 0)
		r = get_duration(
			get, "MESOS_SUBSCRIPTION_BACKOFF_MAX", BACKOFF_MAX_MS, &e.backoff_max_ms, err);
	if (r == 0)
		r = get_duration(
			get, "MESOS_RECOVERY_TIMEOUT", RECOVERY_TIMEOUT_MS, &e.recovery_timeout_ms, err);
	if (r == 0)
		r = get_port(get, SHUFFLE_PORT_VARIABLE, &e.shuffle_port, err);
	if (r < 0)
		return r;
	e.checkpoint = checkpoint != NULL && strcmp(checkpoint, "1") == 0;
	e.token = get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
	*ret = e;
	return 0;
}
