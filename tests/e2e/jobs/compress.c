/* compress.c: OUTPUT_FOLDER gets the lines of INPUT as they are, compressed by CODEC: plain, gzip or zstd. */
#include <quern/quern.h>
#include <stdio.h>

int quern_main(quern_job *job, int argc, char **argv)
{
	static const char *const names[] = { "plain", "gzip", "zstd" };

	for (int i = 0; argc == 4 && i < 3; i++)
		if (strcmp(argv[3], names[i]) == 0)
			return quern_save_text_compressed(
				quern_text(job, argv[1]), argv[2], (enum quern_codec)i);
	(void)fprintf(stderr, "usage: %s INPUT OUTPUT_FOLDER CODEC\n", argv[0]);
	return 1;
}
