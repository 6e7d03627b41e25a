/* credential.h: --principal and --secret-file as the header that Mesos' basic HTTP authenticatee sends. */
#ifndef QUERN_CLI_CREDENTIAL_H
#define QUERN_CLI_CREDENTIAL_H

#include "base/err.h"

/* The value of Authorization: "Basic " and base64 of principal:secret. The secret is the first line of
 * `file`. The caller frees *ret. -EINVAL, -ENOMEM, or what reading the file gave. */
int credential_header(const char *principal, const char *file, char **ret, struct err *err);

#endif
