#include "mesos/json.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* Where a field's value lies: protobuf-c's generated structs, by the offsets in its descriptors. */
#define MEMBER(message, offset, type)  (*(type *)((uint8_t *)(message) + (offset)))
#define CMEMBER(message, offset, type) (*(type const *)((const uint8_t *)(message) + (offset)))

/* Bytes of one value of a field in memory. */
static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 4;
	}
}

/* A map: protobuf has a message for its entries, whose fields are called so; in JSON it is an object. */
static bool is_map(const ProtobufCFieldDescriptor *f)
{
	const ProtobufCMessageDescriptor *d = f->descriptor;

	return f->label == PROTOBUF_C_LABEL_REPEATED && f->type == PROTOBUF_C_TYPE_MESSAGE &&
	       d->n_fields == 2 && strcmp(d->fields[0].name, "key") == 0 &&
	       d->fields[0].type == PROTOBUF_C_TYPE_STRING && strcmp(d->fields[1].name, "value") == 0 &&
	       strstr(d->name, "Entry") != NULL;
}

/* ---- To JSON ---- */

static json_t *base64(const ProtobufCBinaryData *b)
{
	if (b->len > INT_MAX / 4) /* libcrypto counts in int */
		return NULL;
	auto_free unsigned char *text = malloc(b->len / 3 * 4 + 8);
	if (text == NULL)
		return NULL;
	int n = EVP_EncodeBlock(text, b->data, (int)b->len);
	return json_stringn((const char *)text, (size_t)n);
}

/* A string that is not UTF-8 cannot stand in JSON; its other bytes are replaced. */
static json_t *text_value(const char *text)
{
	json_t *s = json_string(text);

	if (s != NULL)
		return s;
	auto_free char *copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return json_string(copy);
}

/* What JSON has no number for is text, as in protobuf's own mapping. */
static json_t *real_value(double d)
{
	if (isnan(d))
		return json_string("NaN");
	if (isinf(d))
		return json_string(d > 0 ? "Infinity" : "-Infinity");
	return json_real(d);
}

static json_t *unsigned_value(uint64_t n)
{
	char digits[24];

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	return json_string(digits);
}

static json_t *one_value(const ProtobufCFieldDescriptor *f, const void *value)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return json_integer(*(const int32_t *)value);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)value);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return json_integer((json_int_t) * (const int64_t *)value);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return unsigned_value(*(const uint64_t *)value);
	case PROTOBUF_C_TYPE_FLOAT:
		return real_value((double)*(const float *)value);
	case PROTOBUF_C_TYPE_DOUBLE:
		return real_value(*(const double *)value);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)value);
	case PROTOBUF_C_TYPE_STRING:
		return text_value(*(const char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		return base64(value);
	case PROTOBUF_C_TYPE_MESSAGE:
		return json_from_message(*(const ProtobufCMessage *const *)value);
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
	const ProtobufCEnumValue *e =
		protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int32_t *)value);
	return e != NULL ? json_string(e->name) : json_integer(*(const int32_t *)value);
}

static bool is_set(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	if (f->label == PROTOBUF_C_LABEL_REQUIRED)
		return true;
	if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const void *p = CMEMBER(m, f->offset, void *);
		return p != NULL && p != f->default_value;
	}
	return CMEMBER(m, f->quantifier_offset, protobuf_c_boolean) != 0;
}

static json_t *list_of(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *m)
{
	size_t n = CMEMBER(m, f->quantifier_offset, size_t);
	const uint8_t *at = CMEMBER(m, f->offset, uint8_t *);
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < n; i++) {
		if (json_array_append_new(list, one_value(f, at + i * size_of(f->type))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Takes the list of a map's entries. */
static json_t *map_of(json_t *list)
{
	json_t *map = list != NULL ? json_object() : NULL, *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		json_t *key = json_object_get(entry, "key"), *value = json_object_get(entry, "value");

		if (map != NULL && key != NULL && value != NULL &&
			json_object_set(map, json_string_value(key), value) < 0) {
			json_decref(map);
			map = NULL;
		}
	}
	json_decref(list);
	return map;
}

json_t *json_from_message(const ProtobufCMessage *m)
{
	json_t *object = json_object();

	for (unsigned i = 0; object != NULL && i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		json_t *value;

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			if (CMEMBER(m, f->quantifier_offset, size_t) == 0)
				continue;
			value = is_map(f) ? map_of(list_of(f, m)) : list_of(f, m);
		} else if (is_set(f, m)) {
			value = one_value(f, (const uint8_t *)m + f->offset);
		} else {
			continue;
		}
		if (json_object_set_new(object, f->name, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* ---- From JSON ---- */

static int bad(const ProtobufCFieldDescriptor *f, struct err *err)
{
	return err_set(err, -EBADMSG, "field '%s' has a value of the wrong kind", f->name);
}

/* Digits, and nothing else, of a number within the limits. */
static int whole_text(const char *text, int64_t min, uint64_t max, uint64_t *ret)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *end;

	if (digits[0] < '0' || digits[0] > '9')
		return -EBADMSG;
	errno = 0;
	if (digits != text) {
		long long n = strtoll(text, &end, 10);
		*ret = (uint64_t)n;
		return *end == '\0' && errno == 0 && n >= min ? 0 : -EBADMSG;
	}
	unsigned long long n = strtoull(text, &end, 10);
	*ret = n;
	return *end == '\0' && errno == 0 && n <= max ? 0 : -EBADMSG;
}

/* Whole numbers come as numbers or, as protobuf's mapping allows, as strings. *ret: two's complement. */
static int whole(const ProtobufCFieldDescriptor *f, const json_t *v, int64_t min, uint64_t max, uint64_t *ret,
	struct err *err)
{
	int64_t n;

	if (json_is_string(v))
		return whole_text(json_string_value(v), min, max, ret) < 0 ? bad(f, err) : 0;
	if (json_is_integer(v)) {
		n = json_integer_value(v);
	} else if (json_is_real(v)) {
		double d = json_real_value(v);
		if (!(d >= -9007199254740992.0 && d <= 9007199254740992.0) || d != trunc(d))
			return bad(f, err);
		n = (int64_t)d;
	} else {
		return bad(f, err);
	}
	if (n < min || (n > 0 && (uint64_t)n > max))
		return bad(f, err);
	*ret = (uint64_t)n;
	return 0;
}

static int real(const ProtobufCFieldDescriptor *f, const json_t *v, double *ret, struct err *err)
{
	static const struct {
		const char *text;
		double value;
	} others[] = { { "NaN", (double)NAN }, { "Infinity", HUGE_VAL }, { "-Infinity", -HUGE_VAL } };

	if (json_is_number(v)) {
		*ret = json_number_value(v);
		return 0;
	}
	for (size_t i = 0; json_is_string(v) && i < 3; i++) {
		if (strcmp(json_string_value(v), others[i].text) == 0) {
			*ret = others[i].value;
			return 0;
		}
	}
	return bad(f, err);
}

static int enum_value(const ProtobufCFieldDescriptor *f, const json_t *v, int32_t *ret, struct err *err)
{
	const ProtobufCEnumValue *e = NULL;

	if (json_is_string(v))
		e = protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, json_string_value(v));
	else if (json_is_integer(v) && json_integer_value(v) >= INT32_MIN &&
		 json_integer_value(v) <= INT32_MAX)
		e = protobuf_c_enum_descriptor_get_value(f->descriptor, (int)json_integer_value(v));
	if (e == NULL)
		return bad(f, err);
	*ret = e->value;
	return 0;
}

/* A value that a newer peer knows and we do not: as if it were not there, unless it must be (as Mesos has it:
 * 3rdparty/stout/include/stout/protobuf.hpp). */
static bool is_unknown_enum(const ProtobufCFieldDescriptor *f, const json_t *v)
{
	int32_t value;

	return f->type == PROTOBUF_C_TYPE_ENUM && f->label != PROTOBUF_C_LABEL_REQUIRED &&
	       (json_is_string(v) || json_is_integer(v)) && enum_value(f, v, &value, NULL) < 0;
}

/* Bytes that text in base64 (RFC 4648, with padding) stands for; -1 if it is none. libcrypto would overlook
 * blanks and padding in the middle. */
static ssize_t base64_length(const char *text, size_t len)
{
	size_t padding = 0;

	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len - padding; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
			return -1;
	return len % 4 != 0 || len > INT_MAX ? -1 : (ssize_t)(len / 4 * 3 - padding);
}

static int bytes_value(
	const ProtobufCFieldDescriptor *f, const json_t *v, ProtobufCBinaryData *ret, struct err *err)
{
	const char *text = json_string_value(v);
	ssize_t n = text != NULL ? base64_length(text, json_string_length(v)) : -1;

	if (n < 0)
		return bad(f, err);
	size_t len = json_string_length(v);
	ret->data = malloc(len / 4 * 3 + 1);
	if (ret->data == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (EVP_DecodeBlock(ret->data, (const unsigned char *)text, (int)len) < n) {
		free(ret->data);
		ret->data = NULL;
		return bad(f, err);
	}
	ret->len = (size_t)n;
	return 0;
}

static int to_message(const json_t *object, const ProtobufCMessageDescriptor *type, int depth,
	ProtobufCMessage **ret, struct err *err);

static int number_value(const ProtobufCFieldDescriptor *f, const json_t *v, void *where, struct err *err)
{
	uint64_t n = 0;
	int r;

	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		r = whole(f, v, INT32_MIN, INT32_MAX, &n, err);
		*(int32_t *)where = (int32_t)n;
		return r;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		r = whole(f, v, 0, UINT32_MAX, &n, err);
		*(uint32_t *)where = (uint32_t)n;
		return r;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		r = whole(f, v, 0, UINT64_MAX, &n, err);
		break;
	default:
		r = whole(f, v, INT64_MIN, INT64_MAX, &n, err);
		break;
	}
	*(uint64_t *)where = n;
	return r;
}

static int set_value(
	const ProtobufCFieldDescriptor *f, const json_t *v, int depth, void *where, struct err *err)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(v))
			return bad(f, err);
		*(protobuf_c_boolean *)where = json_is_true(v);
		return 0;
	case PROTOBUF_C_TYPE_FLOAT: {
		double d = 0;
		int r = real(f, v, &d, err);
		*(float *)where = (float)d;
		return r;
	}
	case PROTOBUF_C_TYPE_DOUBLE:
		return real(f, v, where, err);
	case PROTOBUF_C_TYPE_ENUM:
		return enum_value(f, v, where, err);
	case PROTOBUF_C_TYPE_BYTES:
		return bytes_value(f, v, where, err);
	case PROTOBUF_C_TYPE_STRING:
		if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v))
			return bad(f, err);
		*(char **)where = strdup(json_string_value(v));
		return *(char **)where != NULL ? 0 : err_set(err, -ENOMEM, "out of memory");
	case PROTOBUF_C_TYPE_MESSAGE:
		return to_message(v, f->descriptor, depth + 1, where, err);
	default:
		return number_value(f, v, where, err);
	}
}

static int set_list(
	const ProtobufCFieldDescriptor *f, const json_t *v, int depth, ProtobufCMessage *m, struct err *err)
{
	size_t size = size_of(f->type);

	if (!json_is_array(v))
		return bad(f, err);
	if (json_array_size(v) == 0)
		return 0;
	uint8_t *at = calloc(json_array_size(v), size);
	if (at == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	MEMBER(m, f->offset, uint8_t *) = at;
	size_t n = 0;
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (is_unknown_enum(f, json_array_get(v, i)))
			continue;
		int r = set_value(f, json_array_get(v, i), depth, at + n * size, err);
		if (r < 0)
			return r;
		MEMBER(m, f->quantifier_offset, size_t) = ++n;
	}
	return 0;
}

/* As the list of its entries. */
static int set_map(
	const ProtobufCFieldDescriptor *f, const json_t *v, int depth, ProtobufCMessage *m, struct err *err)
{
	json_t *list = json_array(), *value;
	const char *key;
	int r = list == NULL ? -ENOMEM : 0;

	json_object_foreach((json_t *)(uintptr_t)v, key, value)
	{
		if (r == 0 &&
			json_array_append_new(list, json_pack("{s:s, s:O}", "key", key, "value", value)) < 0)
			r = -ENOMEM;
	}
	r = r < 0 ? err_set(err, r, "out of memory") : set_list(f, list, depth, m, err);
	json_decref(list);
	return r;
}

static int set_field(
	const ProtobufCFieldDescriptor *f, const json_t *v, int depth, ProtobufCMessage *m, struct err *err)
{
	if (v == NULL || json_is_null(v))
		return f->label != PROTOBUF_C_LABEL_REQUIRED
			       ? 0
			       : err_set(err, -EBADMSG, "field '%s' is missing", f->name);
	if (is_map(f) && json_is_object(v))
		return set_map(f, v, depth, m, err);
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return set_list(f, v, depth, m, err);
	if (is_unknown_enum(f, v))
		return 0;
	int r = set_value(f, v, depth, (uint8_t *)m + f->offset, err);
	if (r == 0 && f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_STRING &&
		f->type != PROTOBUF_C_TYPE_MESSAGE)
		MEMBER(m, f->quantifier_offset, protobuf_c_boolean) = 1;
	return r;
}

static int to_message(const json_t *object, const ProtobufCMessageDescriptor *type, int depth,
	ProtobufCMessage **ret, struct err *err)
{
	int r = 0;

	if (!json_is_object(object))
		return err_set(err, -EBADMSG, "not an object where a %s must be", type->name);
	if (depth > MESSAGE_DEPTH_MAX)
		return err_set(err, -EBADMSG, "messages within messages, %d deep", depth);
	ProtobufCMessage *m = malloc(type->sizeof_message);
	if (m == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	protobuf_c_message_init(type, m);
	for (unsigned i = 0; r == 0 && i < type->n_fields; i++)
		r = set_field(&type->fields[i], json_object_get(object, type->fields[i].name), depth, m, err);
	if (r < 0) {
		protobuf_c_message_free_unpacked(m, NULL);
		return r;
	}
	*ret = m;
	return 0;
}

int json_to_message(
	const json_t *object, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct err *err)
{
	return to_message(object, type, 0, ret, err);
}
