/* sched_reason.h: why nothing runs: what became of the agents, each under one reason (sched_reason.c), and of
 * those that made no offer (sched_survey.c). Not for others: sched.h is. */
#ifndef QUERN_SCHEDULER_SCHED_REASON_H
#define QUERN_SCHEDULER_SCHED_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/master.pb-c.h"

enum reason {
	REASON_NONE,
	REASON_CORES,      /* too few for a task */
	REASON_MEMORY,     /* too little */
	REASON_CONSTRAINT, /* of the job, see verdict.constraint */
	REASON_REGION,     /* another one than the master's */
	REASON_RESERVED,   /* for roles that are not ours */
	REASON_REVOCABLE,  /* and that was not asked for */
	REASON_PORTS,      /* none for our executor */
	REASON_BUSY,       /* with what others have there */
	REASON_WITHHELD,   /* free, and not offered: quota, shares */
	REASON_FAILURES,   /* left out for a while */
	REASON_DRAINING,
	REASON_AWAY,      /* not there, or deactivated */
	REASON_STARTING,  /* our executor is */
	REASON_ENOUGH,    /* the job may not hold more */
	REASON_UNNEEDED,  /* nothing that waits is for it */
	REASON_ELSEWHERE, /* tasks wait for their data's place */
	REASON_ROLE,      /* its offers in another role were used */
	REASON_SENSELESS, /* its offers make no sense */
	REASONS
};

/* What became of the last offers of an agent. */
struct verdict {
	enum reason reason;
	size_t constraint;             /* REASON_CONSTRAINT: which */
	int64_t cpus_milli, mem_milli; /* of what was offered, for tasks */
	uint64_t at_ms;
};

/* Why nothing runs, since when, and what was said of it. Times: UINT64_MAX: not so. */
struct waiting {
	uint64_t since_ms;  /* nothing runs that could */
	uint64_t due_ms;    /* the master is asked, or taken to have no answer */
	uint64_t period_ms; /* between two questions */
	bool asked;         /* and not answered yet */
	bool said;
	char *text;     /* the last sentence; or NULL */
	size_t list_at; /* where in it the reasons are */
	size_t n_constraints;
	uint32_t *counts;   /* of agents as they were said last: by reason, then by constraint */
	size_t agents;      /* of the cluster, as far as is known */
	uint64_t *declined; /* offers, from the start: as `counts` */
};

struct agent;
struct sched;

/* Of an agent whose offers were looked at. */
void sched_reason_judge(struct sched *s, struct agent *agent, struct verdict verdict);
/* In a few words; and the constraint's name, or NULL. Borrowed. */
const char *sched_reason_phrase(const struct verdict *v);
const char *sched_reason_constraint(const struct sched *s, const struct verdict *v);
/* One of its offers is declined, for the reason that it stands under. */
void sched_reason_declined(struct sched *s, const struct agent *agent);

/* At the end of a step: whether to ask, or to say that it goes on. */
int sched_reason_settle(struct sched *s);

/* The master's answer; NULL: it has none. */
int sched_reason_survey(struct sched *s, const Mesos__V1__Master__Response__GetAgents *agents);

/* What is known now, as part of a sentence; to be freed. NULL: no memory. */
char *sched_reason_text(struct sched *s);

int sched_reason_init(struct sched *s);
void sched_reason_deinit(struct sched *s);

/* ---- sched_survey.c ---- */

/* What the smallest task takes that could run, perhaps with an executor. */
struct need {
	int64_t cpus_milli, mem_milli;
};

/* Why an agent that made no offer is of no use, as the master tells of it. */
struct verdict sched_survey_judge(const struct sched *s,
	const Mesos__V1__Master__Response__GetAgents__Agent *agent, const struct need *need);

#endif
