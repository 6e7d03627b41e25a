/* stream.h: what `quern stream` was asked for. */
#ifndef QUERN_CLI_STREAM_H
#define QUERN_CLI_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "cli/options.h"

/* Texts that are const are borrowed from the command line. */
struct stream_options {
	struct run_options run;
	char *map, *combine, *reduce; /* commands; NULL: none */
	const char *output;           /* NULL: not said */
	VEC(const char *) inputs;
	VEC(const char *) environment; /* "NAME=value" */
	const char *separator;         /* of fields; NULL: a tab */
	const char *key_separator;     /* Hadoop knows another one, of the fields of a key. NULL: not said */
	uint32_t reducers;             /* UINT32_MAX: not said */
	uint32_t key_fields;
	uint32_t partition_fields; /* 0: all of the key */
	bool numeric, reverse;
	const char *codec; /* NULL: none */
};

/* Takes "KEY=VALUE", a property of Hadoop's or of quern's own ("quern.task.cores"). 0, or -EINVAL with a
 * sentence, which lists the properties that there are when this is none of them. */
int stream_property_set(struct stream_options *s, const char *property, struct err *err);

/* The setters that options and properties have in common. 0, or -EINVAL with a sentence. */
int stream_set_reducers(struct stream_options *s, const char *value, struct err *err);
int stream_set_key_fields(struct stream_options *s, const char *value, struct err *err);
int stream_set_partition_fields(struct stream_options *s, const char *value, struct err *err);
int stream_set_separator(struct stream_options *s, const char *value, struct err *err);
int stream_set_codec(struct stream_options *s, const char *value, struct err *err);

#endif
