/* stages.h: cuts the graph of an action into stages. */
#ifndef QUERN_JOB_STAGES_H
#define QUERN_JOB_STAGES_H

#include "job/graph.h"

/* Makes *ret the Run whose last stage ends in `sink` (borrowed; its types are filled in from the set). Narrow
 * steps are fused; every shuffle ends a stage with map-side combine and begins the next. Stages are in the
 * order in which they are to run. The last one gets a new id, those that write shuffles have theirs for good.
 * Everything is `m`'s or the set's. 0 or -ENOMEM. */
int stages_cut(const quern_set *set, const Quern__Sink *sink, struct memory *m, Quern__Run **ret);

#endif
