/* seal.h: bytes that only who has the key can read, or change: AES-256-GCM. A key seals one thing and is not
 * used again. */
#ifndef QUERN_CLI_SEAL_H
#define QUERN_CLI_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { SEAL_KEY = 32 };

/* Draws a key, and appends what is sealed with it to `to`. 0, -ENOMEM, -EMSGSIZE, -EIO with a sentence. */
int seal(const void *data, size_t len, uint8_t ret_key[SEAL_KEY], struct buf *to, struct err *err);

/* Appends what was sealed to `to`, who wipes it. -EBADMSG: another key, or it was changed. -ENOMEM. With a
 * sentence. */
int unseal(const void *sealed, size_t len, const uint8_t key[SEAL_KEY], struct buf *to, struct err *err);

#endif
