#include "base/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/link.h"

static const char purpose[] = "quern server";

void proof_make(const uint8_t *secret, const char *server, char ret[PROOF_SIZE])
{
	char message[sizeof(purpose) + LINK_NAME_MAX];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;

	ret[0] = '\0';
	int n = snprintf(message, sizeof(message), "%s%s", purpose, server);
	if (n < 0 || (size_t)n >= sizeof(message))
		return;
	if (HMAC(EVP_sha256(), secret, LINK_SECRET, (const uint8_t *)message, (size_t)n, mac, &mac_len) ==
			NULL ||
		mac_len != 32)
		return;
	char *p = ret + sprintf(ret, "Quern ");
	for (unsigned i = 0; i < mac_len; i++)
		p += sprintf(p, "%02x", mac[i]);
}

bool proof_holds(const char *header, const char *expected)
{
	size_t n = strlen(expected);

	return n > 0 && header != NULL && strlen(header) == n && CRYPTO_memcmp(header, expected, n) == 0;
}
