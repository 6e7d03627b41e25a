#include "executor/keep.h"

ZSTD_CCtx *keep_compress(struct keep *k)
{
	if (k->compress == NULL)
		k->compress = ZSTD_createCCtx();
	return k->compress;
}

ZSTD_DCtx *keep_decompress(struct keep *k)
{
	if (k->decompress == NULL)
		k->decompress = ZSTD_createDCtx();
	return k->decompress;
}

void keep_deinit(struct keep *k)
{
	(void)ZSTD_freeCCtx(k->compress);
	(void)ZSTD_freeDCtx(k->decompress);
	*k = (struct keep){ 0 };
}
