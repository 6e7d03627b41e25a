#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/hash.h"
#include "tests/executor/kit.h"

/* As key.h describes it, byte by byte. */
static void pack_plainly(quern_slice key, uint8_t to[16])
{
	uint32_t len = (uint32_t)key.len;

	memset(to, 0, 16);
	for (size_t i = 0; i < key.len; i++)
		to[i] = (uint8_t)key.ptr[i];
	memcpy(to + KEY_SHORT, &len, sizeof(len));
}

static void packed_keys_are_their_bytes(void **state)
{
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)i % (KEY_SHORT + 1);
		char *key = malloc(len + 1); /* its own, so that a sanitizer sees the end */
		uint64_t words[2];
		uint8_t plain[16];
		char wide[KEY_SHORT + 16];

		assert_non_null(key);
		for (size_t j = 0; j < len; j++)
			key[j] = kit_below(&random, 4) == 0 ? '\0' : (char)random_next(&random);
		key_pack(quern_bytes(key, len), words);
		pack_plainly(quern_bytes(key, len), plain);
		assert_memory_equal(words, plain, 16);
		memset(wide, (int)kit_below(&random, 256), sizeof(wide));
		memcpy(wide, key, len);
		key_pack_wide(quern_bytes(wide, len), words);
		assert_memory_equal(words, plain, 16);
		assert_true(hash_key(quern_bytes(key, len), 0) == key_hash_packed(words, 0));
		free(key);
	}
}

/* Executors of one job may be machines of several kinds: what they must agree on. */
static void hashes_are_the_same_everywhere(void **state)
{
	static const struct {
		const char *key;
		uint64_t hash;
	} known[] = {
		{ "", 0x1a6459bb0f37c406 },
		{ "a", 0xe188efea9535fffd },
		{ "word", 0x473f83770292169c },
		{ "eightbyt", 0xcb58ec7f53ddbd05 },
		{ "twelve bytes", 0x8366e8f940149163 },
		{ "more than twelve bytes", 0x400d7d8d430d1b58 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (hash_key(quern_str(known[i].key), 0) != known[i].hash)
			fail_msg("{ \"%s\", 0x%llx },", known[i].key,
				(unsigned long long)hash_key(quern_str(known[i].key), 0));
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Keys that people have: numbers as text, numbers as bytes, zeros of any number. */
static size_t make_key(int kind, uint64_t i, char key[32])
{
	switch (kind) {
	case 0:
		return (size_t)snprintf(key, 32, "%llu", (unsigned long long)i);
	case 1:
		memcpy(key, &i, 8);
		return 8;
	case 2:
		i <<= 40;
		memcpy(key, &i, 8);
		return 8;
	case 3:
		return (size_t)snprintf(key, 32, "user%08llu", (unsigned long long)i);
	case 4:
		return (size_t)snprintf(key, 32, "a long prefix of %llu", (unsigned long long)i);
	default:
		memset(key, 0, KEY_SHORT);
		memcpy(key + 8, &i, 4);
		return KEY_SHORT;
	}
}

/* No hash comes twice, and partitions are of about one size: chi-square of 999 degrees of freedom, which is
 * above 1300 once in a million million. */
static void keys_are_spread(void **state)
{
	enum { KEYS = 200000, PARTITIONS = 1000 };
	uint64_t *hashes = calloc(KEYS, sizeof(*hashes));

	(void)state;
	assert_non_null(hashes);
	for (int kind = 0; kind < 6; kind++) {
		uint32_t sizes[PARTITIONS] = { 0 };
		double chi = 0, expected = (double)KEYS / PARTITIONS;
		char key[32];

		for (uint64_t i = 0; i < KEYS; i++) {
			size_t n = make_key(kind, i, key);

			hashes[i] = hash_key(quern_bytes(key, n), 0);
			sizes[hash_partition(hashes[i], PARTITIONS)]++;
		}
		for (size_t p = 0; p < PARTITIONS; p++)
			chi += (sizes[p] - expected) * (sizes[p] - expected) / expected;
		assert_true(chi < 1300);
		qsort(hashes, KEYS, sizeof(*hashes), by_number);
		for (size_t i = 1; i < KEYS; i++)
			assert_true(hashes[i] != hashes[i - 1]);
	}
	free(hashes);
}

static void zeros_count(void **state)
{
	static const char zeros[KEY_SHORT + 4] = { 0 };
	uint64_t seen[KEY_SHORT + 4];

	(void)state;
	for (size_t i = 0; i < KEY_SHORT + 4; i++) {
		seen[i] = hash_key(quern_bytes(zeros, i), 0);
		for (size_t j = 0; j < i; j++)
			assert_true(seen[i] != seen[j]);
	}
}

/* In the order of hashes is in the order of partitions, and there are none beyond the last. */
static void partitions_are_in_order(void **state)
{
	static const uint32_t counts[] = { 1, 2, 3, 7, 1000, 1u << 20 };

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		uint32_t last = 0;

		for (uint64_t i = 0; i < 100000; i++) {
			uint32_t p = hash_partition(UINT64_MAX / 99999 * i, counts[c]);

			assert_true(p >= last && p < counts[c]);
			last = p;
		}
		assert_int_equal(hash_partition(0, counts[c]), 0);
		assert_int_equal(hash_partition(UINT64_MAX, counts[c]), counts[c] - 1);
	}
}

/* The keys of one partition of a shuffle are anywhere in the next: each bucket gets its share. */
static void seeds_mix_partitions_anew(void **state)
{
	enum { KEYS = 32000, PARTITIONS = 64, BUCKETS = 32 };
	const uint8_t id[20] = "some build of a job";

	(void)state;
	for (uint32_t shuffle = 1; shuffle < 20; shuffle++) {
		uint64_t seed = hash_seed(id, sizeof(id), shuffle),
			 next = hash_seed(id, sizeof(id), shuffle + 1);
		unsigned counts[BUCKETS] = { 0 };
		char key[32];

		for (unsigned i = 0, n = 0; n < KEYS; i++) {
			quern_slice k =
				quern_bytes(key, (size_t)snprintf(key, sizeof(key),
							 i % 2 == 0 ? "%u" : "a key that is long: %u", i));

			if (hash_partition(hash_key(k, seed), PARTITIONS) != PARTITIONS - 1)
				continue;
			counts[hash_partition(hash_key(k, next), BUCKETS)]++;
			n++;
		}
		for (unsigned b = 0; b < BUCKETS; b++)
			assert_in_range(counts[b], KEYS / BUCKETS * 8 / 10, KEYS / BUCKETS * 12 / 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_keys_are_their_bytes),
		cmocka_unit_test(seeds_mix_partitions_anew),
		cmocka_unit_test(hashes_are_the_same_everywhere),
		cmocka_unit_test(keys_are_spread),
		cmocka_unit_test(zeros_count),
		cmocka_unit_test(partitions_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
