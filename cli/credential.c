#include "cli/credential.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

enum { SECRET_MAX = 4096 }; /* bytes; a longer one is not a secret but the wrong file */

static int read_secret(const char *file, char *ret, size_t size, struct err *err)
{
	FILE *f = fopen(file, "re");

	if (f == NULL)
		return err_errno(err, -errno, "--secret-file '%s'", file);
	size_t n = fread(ret, 1, size, f);
	int failed = ferror(f) ? errno : 0;
	(void)fclose(f);
	if (failed != 0)
		return err_errno(err, -failed, "--secret-file '%s'", file);
	if (n == size)
		return err_set(err, -EINVAL, "--secret-file '%s' is longer than %d bytes", file, SECRET_MAX);
	ret[n] = '\0';
	ret[strcspn(ret, "\r\n")] = '\0';
	return ret[0] != '\0' ? 0 : err_set(err, -EINVAL, "--secret-file '%s' is empty", file);
}

int credential_header(const char *principal, const char *file, char **ret, struct err *err)
{
	char secret[SECRET_MAX + 1];
	auto_free char *pair = NULL, *coded = NULL;

	if (principal == NULL)
		return err_set(err, -EINVAL, "--secret-file without --principal");
	int r = read_secret(file, secret, sizeof(secret), err);
	if (r < 0)
		return r;
	int len = asprintf(&pair, "%s:%s", principal, secret);
	explicit_bzero(secret, sizeof(secret));
	if (len < 0) {
		pair = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	coded = malloc((size_t)len * 4 / 3 + 8); /* 4 characters for 3 bytes begun, and NUL */
	if (coded == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	(void)EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)pair, len);
	explicit_bzero(pair, (size_t)len);
	if (asprintf(ret, "Basic %s", coded) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}
