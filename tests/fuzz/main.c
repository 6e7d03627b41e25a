/* main.c: replays a corpus: runs a fuzz target's function over every file of a folder. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
	auto_buf struct buf b = BUF_INIT(64 << 20);
	char path[4096];
	uint8_t piece[65536];
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		if (buf_add(&b, piece, n) < 0)
			break;
	(void)fclose(f);

	/* A copy of exactly this size, so that a sanitizer sees the first byte past the end. */
	uint8_t *exact = malloc(b.len > 0 ? b.len : 1);
	if (exact == NULL)
		return -1;
	if (b.len > 0)
		memcpy(exact, b.data, b.len);
	(void)LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int n = 0;

	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	if (d == NULL) {
		(void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && replay(argv[1], e->d_name) == 0)
			n++;
	(void)closedir(d);
	(void)printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
