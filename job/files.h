/* files.h: what stands behind quern_file_path(): where the files that were shipped with the job are, in this
 * process. Said once, before any code of the job runs. */
#ifndef QUERN_JOB_FILES_H
#define QUERN_JOB_FILES_H

#include <stddef.h>

/* The folder of an executor's sandbox that has them, and is the working directory of its workers. */
#define FILES_FOLDER "files"

/* On an executor: all of them are in this folder, under their names. Borrowed for good. */
void files_in(const char *folder);

/* Beside the driver: `n` pairs of a name and the path of the file behind it. Borrowed for good. */
void files_at(char *const *pairs, size_t n);

#endif
