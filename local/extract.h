/* extract.h: archives unpacked without trusting them. Blocking: call it in a helper (helper.h). */
#ifndef QUERN_LOCAL_EXTRACT_H
#define QUERN_LOCAL_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct extract_limits {
	uint64_t bytes; /* of all files together, as they are unpacked */
	uint64_t entries;
};

/* Whether the name ends as one of an archive that is unpacked: those of Mesos' fetcher
 * (src/launcher/fetcher.cpp), and .tar.zst. */
bool extract_is_archive(const char *name);

/* Unpacks archive `file` into the current folder. Refused, with what is unpacked up to there left behind:
 * names that are absolute or contain "..", links to a place outside of the folder, a way through a symbolic
 * link, anything but files, folders and links, and more than the limits. Owners, set-id bits and the like are
 * not kept. 0 or -errno with a sentence. */
int extract_here(const char *file, const struct extract_limits *limits, struct err *err);

/* A single file, compressed by gzip: ".gz" that is no archive. Unpacked beside it, under the name without
 * ".gz". */
bool extract_is_gzip(const char *name);
int extract_gzip(const char *file, const struct extract_limits *limits, struct err *err);

#endif
