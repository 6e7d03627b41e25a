/* codec.h: how a file is compressed, which its name says, as it does for Hadoop: ".gz", ".zst". */
#ifndef QUERN_JOB_CODEC_H
#define QUERN_JOB_CODEC_H

#include "job/plan.pb-c.h"

/* By the end of the name. What ends otherwise is plain. */
Quern__Codec codec_of_path(const char *path);

/* What names of such files end with: "" for plain ones, and for a codec that is none. */
const char *codec_suffix(Quern__Codec codec);

#endif
