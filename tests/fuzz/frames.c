/* Files that may be zstd: where frames begin is where libzstd says so, as far as it sees frames at all. The
 * first byte is how many reads there are and how far apart the places. */
#include <assert.h>
#include <stdbool.h>
#include <zstd.h>

#include "job/frames.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether a frame of `data` ends at `offset`; *ret_known: up to there it consists of frames. */
static bool ends_at(const uint8_t *data, size_t size, uint64_t offset, bool *ret_known)
{
	size_t at = 0;

	*ret_known = true;
	while (at < offset) {
		size_t n = ZSTD_findFrameCompressedSize(data + at, size - at);

		if (ZSTD_isError(n)) {
			*ret_known = false;
			return false;
		}
		at += n;
	}
	return at == offset;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frames found = { 0 };
	uint64_t last = 0;
	bool known;

	if (size == 0)
		return 0;
	uint32_t reads = (uint32_t)(data[0] & 15) * 5, before = reads;
	uint64_t apart = data[0] >> 4;
	data++;
	size--;
	struct fuzz_file f = fuzz_file_open(data, size);
	const struct frames_file file = { .read = fuzz_file_read, .file = &f };
	struct err err = { "" };
	int r = frames_find(&file, size, apart, &reads, &found, &err);
	assert(r == 0 && reads <= before);
	for (size_t i = 0; i < found.begin.n; i++) {
		assert(found.begin.at[i] > last && found.begin.at[i] < size &&
			found.begin.at[i] - last >= apart);
		last = found.begin.at[i];
		assert(ends_at(data, size, last, &known) || !known);
	}
	frames_deinit(&found);
	fuzz_file_close(&f);
	return 0;
}
