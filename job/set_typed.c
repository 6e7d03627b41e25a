/* set_typed.c: what keys and values are. */
#include "job/set.h"

static bool type_known(enum quern_type t)
{
	return t == QUERN_BYTES || t == QUERN_U64 || t == QUERN_I64 || t == QUERN_DOUBLE;
}

quern_set *quern_typed(quern_set *from, enum quern_type key, enum quern_type value)
{
	if (from->error != NULL)
		return from;
	if (!type_known(key) || !type_known(value))
		return set_wrong(from->job, "quern_typed(): no such type");
	quern_set *set = set_copy(from);
	if (set->error == NULL) {
		set->key_type = (Quern__ValueType)key; /* the same numbers: plan.proto */
		set->value_type = (Quern__ValueType)value;
	}
	return set;
}
