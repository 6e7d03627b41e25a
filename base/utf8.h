/* utf8.h: characters of a text that may be anything. */
#ifndef QUERN_BASE_UTF8_H
#define QUERN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the UTF-8 character at `p`, 0 if there is none (RFC 3629: shortest form, no surrogates). `left`
 * bytes are there, one at least. */
size_t utf8_len(const uint8_t *p, size_t left);

#endif
