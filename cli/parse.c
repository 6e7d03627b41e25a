#include "cli/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	double factor;
};

/* A number, then one of `units` (the last has the name ""). */
static int parse_unit(const char *text, const struct unit *units, double max, double *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	errno = 0;
	double number = strtod(text, &end);
	if (errno != 0 || end == text || !isfinite(number) || number < 0)
		return -EINVAL;
	for (; strcasecmp(end, units->name) != 0; units++)
		if (units->name[0] == '\0')
			return -EINVAL;
	if (number * units->factor > max)
		return -EINVAL;
	*ret = number * units->factor;
	return 0;
}

int parse_memory_mb(const char *text, uint32_t *ret, struct err *err)
{
	static const struct unit units[] = { { "m", 1 }, { "mb", 1 }, { "g", 1024 }, { "gb", 1024 },
		{ "t", 1048576 }, { "tb", 1048576 }, { "", 1 } };
	double mb;

	if (parse_unit(text, units, INT32_MAX, &mb) < 0 || mb < 1)
		return err_set(err, -EINVAL, "'%s' is no amount of memory (512m, 2g)", text);
	*ret = (uint32_t)ceil(mb);
	return 0;
}

int parse_duration_ms(const char *text, uint64_t *ret, struct err *err)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "secs", 1000 }, { "m", 60e3 },
		{ "min", 60e3 }, { "h", 3600e3 }, { "", 1000 } };
	double ms;

	if (parse_unit(text, units, 1e15, &ms) < 0)
		return err_set(err, -EINVAL, "'%s' is no duration (30s, 500ms, 2m)", text);
	*ret = (uint64_t)llround(ms);
	return 0;
}

int parse_cpus_milli(const char *text, uint32_t *ret, struct err *err)
{
	static const struct unit units[] = { { "", 1000 } };
	double milli;

	if (parse_unit(text, units, INT32_MAX, &milli) < 0 || milli < 1)
		return err_set(err, -EINVAL, "'%s' is no number of cores (1, 0.5)", text);
	*ret = (uint32_t)llround(milli);
	return 0;
}

int parse_percent(const char *text, uint32_t *ret, struct err *err)
{
	static const struct unit units[] = { { "%", 1 }, { "", 100 } };
	double percent;

	if (parse_unit(text, units, 100, &percent) < 0)
		return err_set(err, -EINVAL, "'%s' is no ratio (0.8, 80%%)", text);
	*ret = percent > 0 && percent < 1 ? 1 : (uint32_t)llround(percent); /* little is not nothing */
	return 0;
}

int parse_count(const char *text, uint32_t min, uint32_t max, uint32_t *ret, struct err *err)
{
	char *end;

	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || !isdigit((unsigned char)text[0]) || n < min ||
		n > max)
		return err_set(err, -EINVAL, "'%s' is no number from %u to %u", text, min, max);
	*ret = (uint32_t)n;
	return 0;
}
