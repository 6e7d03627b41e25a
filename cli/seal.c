#include "cli/seal.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

enum {
	TAG = 16,
	NONCE = 12, /* all zeros: a key is used once */
};

static const uint8_t nonce[NONCE];

static int encrypt(EVP_CIPHER_CTX *c, const uint8_t *key, const void *data, int len, uint8_t *out)
{
	int n = 0, more = 0;

	return EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_EncryptUpdate(c, out + TAG, &n, data, len) == 1 &&
	       EVP_EncryptFinal_ex(c, out + TAG + n, &more) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out) == 1;
}

static int decrypt(EVP_CIPHER_CTX *c, const uint8_t *key, const uint8_t *sealed, int len, uint8_t *out)
{
	uint8_t tag[TAG];
	int n = 0, more = 0;

	memcpy(tag, sealed, TAG);
	return EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
	       EVP_DecryptUpdate(c, out, &n, sealed + TAG, len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(c, out + n, &more) == 1;
}

int seal(const void *data, size_t len, uint8_t ret_key[SEAL_KEY], struct buf *to, struct err *err)
{
	if (len > INT_MAX - TAG)
		return err_set(err, -EMSGSIZE, "%zu bytes are too many to be sealed", len);
	if (getrandom(ret_key, SEAL_KEY, 0) != SEAL_KEY)
		return err_set(err, -EIO, "no random numbers to be had");
	int r = buf_reserve(to, len + TAG);
	if (r < 0)
		return err_set(err, r, "out of memory");
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	r = c != NULL && encrypt(c, ret_key, data, (int)len, to->data + to->len) ? 0 : -EIO;
	EVP_CIPHER_CTX_free(c);
	if (r < 0)
		return err_set(err, r, "AES-256-GCM is not to be had");
	to->len += len + TAG;
	return 0;
}

int unseal(const void *sealed, size_t len, const uint8_t key[SEAL_KEY], struct buf *to, struct err *err)
{
	if (len < TAG || len > INT_MAX)
		return err_set(err, -EBADMSG, "what was sealed is cut");
	int r = buf_reserve(to, len);
	if (r < 0)
		return err_set(err, r, "out of memory");
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	r = c != NULL && decrypt(c, key, sealed, (int)(len - TAG), to->data + to->len) ? 0 : -EBADMSG;
	EVP_CIPHER_CTX_free(c);
	if (r < 0) {
		explicit_bzero(to->data + to->len, len);
		return err_set(err, r, "what was sealed was changed, or is sealed with another key");
	}
	to->len += len - TAG;
	return 0;
}
