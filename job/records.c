#include "job/records.h"

size_t varint_put(uint8_t *to, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		to[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	to[n++] = (uint8_t)v;
	return n;
}

bool varint_take(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	const uint8_t *at = *p;
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 7 * VARINT_MAX; shift += 7) {
		if (at == end)
			return false;
		uint8_t byte = *at++;
		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*p = at;
			*ret = v;
			return true;
		}
	}
	return false;
}

/* A record behind the length that stands for its key's. */
static int put(struct buf *out, uint64_t key_len, quern_slice key, quern_slice value)
{
	uint8_t head[2 * VARINT_MAX];
	size_t n = varint_put(head, key_len), all;

	n += varint_put(head + n, value.len);
	if (__builtin_add_overflow(key.len, value.len, &all) || __builtin_add_overflow(all, n, &all))
		return -EMSGSIZE;
	int r = buf_reserve(out, all);
	if (r < 0)
		return r;
	uint8_t *to = out->data + out->len;
	memcpy(to, head, n);
	if (key.len > 0)
		memcpy(to + n, key.ptr, key.len);
	if (value.len > 0)
		memcpy(to + n + key.len, value.ptr, value.len);
	out->len += all;
	return 0;
}

int record_put_any(struct buf *out, quern_slice key, quern_slice value)
{
	return put(out, key.len, key, value);
}

int record_put_optional(struct buf *out, quern_slice key, quern_slice value)
{
	return put(out, key.ptr == NULL ? 0 : (uint64_t)key.len + 1, key, value);
}

static size_t varint_size(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

size_t record_size_optional(quern_slice key, quern_slice value)
{
	uint64_t key_len = key.ptr == NULL ? 0 : (uint64_t)key.len + 1;

	return varint_size(key_len) + varint_size(value.len) + key.len + value.len;
}

int record_next_any(const uint8_t **p, const uint8_t *end, quern_slice *key, quern_slice *value)
{
	const uint8_t *at = *p;
	uint64_t key_len, value_len;

	if (at == end)
		return 0;
	if (!varint_take(&at, end, &key_len) || !varint_take(&at, end, &value_len))
		return -EBADMSG;
	uint64_t left = (uint64_t)(end - at);
	if (key_len > left || value_len > left - key_len)
		return -EBADMSG;
	*key = quern_bytes(at, key_len);
	*value = quern_bytes(at + key_len, value_len);
	*p = at + key_len + value_len;
	return 1;
}
