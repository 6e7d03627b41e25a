/* proof.h: how a request over HTTP proves that it comes from the same job: an Authorization header made with
 * the job's secret, for one server, so that what one gets to see is of no use at another. */
#ifndef QUERN_BASE_PROOF_H
#define QUERN_BASE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

enum { PROOF_SIZE = 6 + 64 + 1 };

/* The name of the driver's server; an executor's is its id. */
#define PROOF_DRIVER "driver"

/* "Quern <hex of HMAC-SHA256(secret, "quern server" | server)>" and NUL; `secret` has LINK_SECRET bytes. "",
 * which allows nobody, for a name of more than LINK_NAME_MAX bytes. */
void proof_make(const uint8_t *secret, const char *server, char ret[PROOF_SIZE]);

/* Whether an Authorization header (NULL: there was none) is the expected one. Takes the same time for all
 * wrong ones of one length. */
bool proof_holds(const char *header, const char *expected);

#endif
