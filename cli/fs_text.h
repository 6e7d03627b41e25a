/* fs_text.h: what `quern fs` writes: names, sizes, permissions and times as `hdfs dfs` writes them. */
#ifndef QUERN_CLI_FS_TEXT_H
#define QUERN_CLI_FS_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hdfs_client/types.h"

enum { FS_SIZE_TEXT = 32, FS_MODE_TEXT = 16, FS_TIME_TEXT = 32 }; /* bytes that a text takes at most */

/* Whether it is UTF-8, as names in HDFS have to be. */
bool fs_is_utf8(const char *text);

/* A copy in which what a terminal might obey, and what is not UTF-8, is written as \n, \t or \xNN; the
 * caller frees it. NULL: out of memory. */
char *fs_escape(const char *text);

/* Writes text: escaped on a terminal, else as it is. */
void fs_write_name(FILE *out, const char *text);

/* The width of a column that `text` has to go into, too. */
int fs_wider(int width, const char *text);

/* "1234", or with `human` "1.2 K". */
void fs_size_text(uint64_t n, bool human, char ret[static FS_SIZE_TEXT]);

/* "drwxr-xr-x", "-rw-r--r--". */
void fs_mode_text(const struct hdfs_status *s, char ret[static FS_MODE_TEXT]);

/* `exact`: to the second, UTC; else to the minute, where we are. */
void fs_time_text(uint64_t ms, bool exact, char ret[static FS_TIME_TEXT]);

#endif
