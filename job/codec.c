#include "job/codec.h"

#include <string.h>

static const struct {
	Quern__Codec codec;
	const char *suffix;
} codecs[] = {
	{ QUERN__CODEC__GZIP, ".gz" },
	{ QUERN__CODEC__ZSTD, ".zst" },
};

enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

Quern__Codec codec_of_path(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < CODECS; i++) {
		size_t n = strlen(codecs[i].suffix);

		if (len >= n && strcmp(path + len - n, codecs[i].suffix) == 0)
			return codecs[i].codec;
	}
	return QUERN__CODEC__PLAIN;
}

const char *codec_suffix(Quern__Codec codec)
{
	for (size_t i = 0; i < CODECS; i++)
		if (codecs[i].codec == codec)
			return codecs[i].suffix;
	return "";
}
