/* sched_parts.h: what the files of the core (sched.c, sched_*.c) do for each other, on the state of
 * sched_state.h. Not for others: sched.h is. */
#ifndef QUERN_SCHEDULER_SCHED_PARTS_H
#define QUERN_SCHEDULER_SCHED_PARTS_H

#include "scheduler/sched_state.h"

/* ---- sched_plan.c ---- */

/* Appends an action; its bytes and text become the plan's, also on failure. 0 or -ENOMEM. */
int sched_plan_add(struct sched *s, struct sched_action action);
int sched_plan_text(struct sched *s, enum sched_action_kind kind, uint32_t run, int code, const char *format,
	...) __attribute__((format(printf, 5, 6)));
/* Appends one with a packed message; `executor` is copied, or NULL. */
int sched_plan_message(
	struct sched *s, enum sched_action_kind kind, const char *executor, const ProtobufCMessage *message);
int sched_plan_bytes(struct sched *s, struct sched_action action, const void *data, size_t len);

/* A deep copy, for protobuf_c_message_free_unpacked(). NULL: no memory. */
void *sched_message_dup(const ProtobufCMessage *message);

/* "Remind me": sched_next_ms() is at most this. */
void sched_look_at(struct sched *s, uint64_t ms);

/* ---- sched_call.c: calls of Mesos; none is sent without a subscription ---- */

int sched_call_simple(struct sched *s, Mesos__V1__Scheduler__Call__Type type);
int sched_call_acknowledge(struct sched *s, const Mesos__V1__TaskStatus *status);
int sched_call_kill(struct sched *s, const char *task_id, const char *agent_id);
int sched_call_shutdown(struct sched *s, const struct executor *e);
int sched_call_decline(struct sched *s, Mesos__V1__OfferID **ids, size_t n, double refuse_s);
/* The agent's offers in that role. */
int sched_call_accept(struct sched *s, const struct agent *agent, const char *role,
	Mesos__V1__TaskInfo **tasks, size_t n, double refuse_s);
int sched_call_accept_inverse(struct sched *s, Mesos__V1__OfferID **ids, size_t n);
/* Of holds; `all`: of those as well that were heard of. */
int sched_call_reconcile(struct sched *s, bool all);
int sched_call_reconcile_implicitly(struct sched *s);
/* Of the `n` agents that are expected: of a task that nobody knows, on each. */
int sched_call_reconcile_agents(struct sched *s, size_t n);
/* What the master was told at the subscription, as it is now. */
int sched_call_update_framework(struct sched *s);

/* ---- sched_status.c ---- */

/* UPDATE_FRAMEWORK, with the status of the job as a label. */
int sched_call_status(struct sched *s);

/* ---- sched_master.c: events of the subscription ---- */

int sched_master_event(struct sched *s, const Mesos__V1__Scheduler__Event *event);
int sched_master_down(struct sched *s);
int sched_master_stop(struct sched *s, int status);

/* ---- sched_appetite.c ---- */

/* SUPPRESS, or REVIVE, or nothing. */
int sched_appetite_settle(struct sched *s);
bool sched_appetite_hungry(struct sched *s);
/* REVIVE may follow soon after each of so many things that are waited for. */
bool sched_appetite_soon(struct sched *s, uint32_t n);
struct mode_view sched_view_of(const struct sched *s);

/* ---- sched_wishes.c ---- */

/* Puts into `info`, whose roles are set, and beside it what offers we have use for (NULL: any, as far as is
 * told there). *ret owns it. */
struct wishes;
int sched_wishes_say(struct sched *s, Mesos__V1__FrameworkInfo *info,
	Mesos__V1__Scheduler__OfferConstraints **ret_constraints, struct wishes **ret);
struct wishes *sched_wishes_free(struct wishes *w);
/* A run begins: its tasks may be smaller than any before. */
int sched_wishes_run(struct sched *s, const struct run *run);
/* The master is there, and may have been told something else. */
int sched_wishes_renew(struct sched *s);

/* ---- sched_drain.c ---- */

/* What the agent's offer says; NULL: nothing. */
void sched_drain_offered(
	struct sched *s, struct agent *agent, const Mesos__V1__Unavailability *unavailability);
/* What we have there is asked back. *ret_again: that was answered a moment ago. */
int sched_drain_asked(struct sched *s, struct agent *agent, const Mesos__V1__Unavailability *unavailability,
	bool *ret_again);
/* A new subscription: the master may not know what was answered. */
void sched_drain_subscribed(struct sched *s);
/* An operator ends what runs there. */
int sched_drain_ordered(struct sched *s, struct agent *agent);
/* A task of the stage may be started there, as far as that goes. */
bool sched_drain_allows(const struct sched *s, const struct agent *agent, const struct stage *stage);
/* One of some stage of the run that waits may be. */
bool sched_drain_in_time(const struct sched *s, const struct agent *agent);
/* A slot there stays idle, though tasks wait. */
int sched_drain_idle(struct sched *s, struct agent *agent);
/* At the end of a step. */
int sched_drain_settle(struct sched *s);

/* ---- sched_agent.c ---- */

/* The agent of that id, made if it is not known. NULL: no memory. */
struct agent *sched_agent_get(struct sched *s, const char *id, const char *hostname);
struct agent *sched_agent_find(const struct sched *s, const char *id);
/* Something of ours failed there. */
int sched_agent_failed(struct sched *s, struct agent *agent);
/* It may be given work: it is not left out, or there is no other. */
bool sched_agent_usable(struct sched *s, const struct agent *agent);
/* Whether some agent that `avoid` does not name could take a task. */
bool sched_agent_other(const struct sched *s, const struct avoid *avoid);
/* All that was there is lost. */
int sched_agent_lost(struct sched *s, struct agent *agent, const char *why);
/* It was lost, and is there after all: what it still has of ours is to end. */
int sched_agent_back(struct sched *s, struct agent *agent);
void sched_agents_deinit(struct sched *s);

/* ---- sched_share.c ---- */

/* Fills e->info, and what follows from it: its share is taken out of `pool`, where it is. */
int sched_share_take(const struct sched *s, struct executor *e, struct resources *pool);

/* ---- sched_executor.c ---- */

/* A new one for the agent: its share is taken out of `pool`. */
int sched_executor_new(struct sched *s, struct agent *agent, struct resources *pool, struct executor **ret);
struct executor *sched_executor_find(const struct sched *s, const char *id);
/* It runs, as far as Mesos is concerned. */
void sched_executor_is_up(struct executor *e);
/* It is gone, and everything in it. `counts`: by its own doing, or that of what ran in it. */
int sched_executor_lost(struct sched *s, struct executor *e, bool counts, const char *why);
/* Those of a lost agent that is back, and of a master that may not have heard it: SHUTDOWN. */
int sched_executors_dismiss(struct sched *s, const struct agent *agent);
/* It has failed, and what that was may be said yet. */
void sched_executor_doubt(struct sched *s, struct executor *e);
/* SHUTDOWN, and then as lost: by its own doing, or not. */
int sched_executor_leave(struct sched *s, struct executor *e, const char *why);
int sched_executor_give_up(struct sched *s, struct executor *e, const char *why);
/* Slots or load changed. */
void sched_executor_refresh(struct sched *s, struct executor *e);
/* Slots that tasks may take now, if it is there. */
static inline uint32_t sched_executor_free(const struct executor *e)
{
	uint64_t taken = (uint64_t)e->load + e->going;

	return taken < e->slots ? (uint32_t)(e->slots - taken) : 0;
}
/* Links that are due, tasks to send again. */
int sched_executors_look(struct sched *s);
void sched_executors_deinit(struct sched *s);

/* ---- sched_hold.c ---- */

/* `id` is copied. It is launched by the ACCEPT that follows. What it holds is the caller's to say. */
int sched_hold_new(
	struct sched *s, const char *id, struct executor *e, uint32_t slots, bool lease, struct hold **ret);
/* It is over: forgets it. Its attempt is not touched. */
void sched_hold_free(struct sched *s, struct hold *h, enum sched_return why);
int sched_hold_kill(struct sched *s, struct hold *h);
int sched_hold_update(struct sched *s, const Mesos__V1__TaskStatus *status);
/* A lease is RUNNING: its executor says so, before Mesos does. */
int sched_hold_begins(struct sched *s, const struct executor *e, const char *id);
/* Those that nothing is heard of; KILLs again. */
int sched_holds_look(struct sched *s);
void sched_holds_unseen(struct sched *s);

/* sched_goodbye.c */
/* A subscription that is not the first: the master may know of no agent, and of no KILL. */
void sched_goodbye_expect(struct sched *s);
/* Agents that TEARDOWN waits for; and executors that were starting, whose end it waits for then. */
uint32_t sched_goodbye_expected(const struct sched *s);
uint32_t sched_goodbye_starting(const struct sched *s);
/* When stopping: TEARDOWN, if it is time for it, or what has to be before. */
int sched_goodbye_settle(struct sched *s);
void sched_holds_deinit(struct sched *s);

/* ---- sched_offer.c ---- */

int sched_offer_pool(struct sched *s, const Mesos__V1__Scheduler__Event__Offers *offers);
/* Answers every offer that is pooled. */
int sched_offers_answer(struct sched *s);

/* ---- sched_hdfs.c ---- */

/* Copied. 0 or -ENOMEM. */
int sched_hdfs_set(struct sched *s, const void *data, size_t len);
/* Whether the executor has to have it anew for a task of the stage. */
bool sched_hdfs_stale(const struct sched *s, const struct executor *e, const struct stage *stage);
/* Puts it (borrowed) beside the stage that is being sent, if that is so. */
void sched_hdfs_fill(const struct sched *s, struct executor *e, const struct stage *stage,
	Quern__ToExecutor__StageInfo *info);
void sched_hdfs_deinit(struct sched *s);

/* ---- sched_lease.c: slots that are taken as tasks need them, and given back ---- */

/* Whether what would be held there beside the first hold waits for the agent's executor, which that brings.
 */
bool sched_lease_waits(struct sched *s, const struct agent *agent);
/* So many slots do. */
void sched_lease_later(struct sched *s, struct executor *e, uint32_t slots, bool near);
/* They do no longer: the executor is there, or not to be waited for. */
void sched_lease_ask(struct sched *s, struct executor *e);
/* It is not coming any more: it runs, or has ended before. */
void sched_lease_arrived(struct sched *s, const struct hold *h);
/* The lease runs from now on; or is over. */
void sched_lease_begins(struct sched *s, struct hold *h);
void sched_lease_ended(struct sched *s, struct hold *h);
/* It is not wanted any more: its executor ends it, or, where that cannot be told, the agent. */
int sched_lease_end(struct sched *s, struct hold *h, enum sched_return why);
/* Idle slots of the executor became more or fewer. */
void sched_lease_idle(struct sched *s, struct executor *e);
/* A task has ended there: leases that are too old get no other one. */
void sched_lease_between(struct sched *s, struct executor *e);
/* Before tasks are given out: those go that have room by now. */
int sched_lease_go(struct sched *s);
/* The slot of the next task that ends there is to go back. */
bool sched_lease_is_due(struct sched *s, const struct executor *e);
/* After that: idle slots go. */
int sched_lease_settle(struct sched *s);
/* The executor has a new connection. */
int sched_lease_linked(struct sched *s, const struct executor *e);

/* ---- sched_ledger.c ---- */

/* What the hold holds from now on. */
void sched_ledger_hold(struct sched *s, struct hold *h, uint32_t cpus_milli, uint32_t mem_mb);
/* An executor's share is held from now on, or no longer. */
void sched_ledger_executor(struct sched *s, bool begins);
void sched_ledger_begins(struct sched *s, struct attempt *a);
/* `result`: NULL, there is none. */
void sched_ledger_ends(struct sched *s, const struct attempt *a, const Quern__TaskResult *result);
/* At the end of a step. */
void sched_ledger_settle(struct sched *s);
/* The framework is over, and with it what still ran. */
void sched_ledger_over(struct sched *s);

/* ---- sched_launch.c ---- */

/* Mesos tasks that are being launched on the offers of one agent in one role. */
struct launch;
struct launches {
	struct agent *agent;
	const char *role;       /* of sched.roles */
	struct resources *pool; /* what is left of the offers */
	VEC(struct launch *) list;
};

/* A lease of so many slots (`near`: for a task that has its data there); or a task that was picked. The
 * agent's executor comes with it, if there is none. */
int sched_launch_lease(struct sched *s, struct launches *l, uint32_t slots, bool near);
int sched_launch_task(struct sched *s, struct launches *l, struct task *t);
/* Accepts the agent's offers with all of them; the rest is refused for so long. */
int sched_launch_send(struct sched *s, const struct launches *l, double refuse_s);
void sched_launches_deinit(struct launches *l);

/* ---- sched_log.c: for an event log, see sched_log.h ---- */

void sched_log_framework(struct sched *s);
void sched_log_no_master(struct sched *s);
/* The master was told it. */
void sched_log_appetite(struct sched *s);
void sched_log_offer(struct sched *s, const Mesos__V1__Offer *o);
/* For the reason that the agent stands under. */
void sched_log_decline(struct sched *s, const struct agent *a, const Mesos__V1__Offer *o, double refuse_s);
void sched_log_rescind(struct sched *s, const Mesos__V1__Scheduler__Event__Rescind *rescind);
/* The hold, or if it is NULL the agent's executor, is launched on the offers. 0 or -ENOMEM. */
int sched_log_accept(struct sched *s, const struct launches *l, const struct hold *h);
/* Of a hold, or of an executor. */
void sched_log_running(struct sched *s, const char *id);
void sched_log_return(struct sched *s, const char *id, enum sched_return why);
void sched_log_start(struct sched *s, const struct attempt *a);
/* `result`: NULL, there is none. */
void sched_log_end(
	struct sched *s, const struct attempt *a, const Quern__TaskResult *result, uint64_t ran_us);
/* The run begins, or has ended. */
void sched_log_run(struct sched *s, const struct run *run, int code);
/* stage->ready has changed. */
void sched_log_stage(struct sched *s, const struct run *run, const struct stage *stage);
/* Slots that are lacking, all told: some, after none; or 0. */
void sched_log_waiting(struct sched *s, uint32_t slots);
/* Everything that is held goes back with the framework. */
void sched_log_over(struct sched *s);

/* ---- sched_run.c ---- */

int sched_run_start(struct sched *s, const struct sched_event *ev);
int sched_run_cancel(struct sched *s, uint32_t id);
int sched_run_committed(struct sched *s, uint32_t run, uint32_t partition, const char *error);
/* Ends the run. Once; later ends are ignored. */
int sched_run_end(struct sched *s, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What follows from everything: readiness, start, end. */
int sched_run_settle(struct sched *s);
/* Whether a task is of the run that is under way. */
bool sched_run_has(const struct sched *s, const struct task *t);
/* Frees a run that has ended. */
void sched_run_sweep(struct sched *s);
/* Slots that tasks could take which may start. */
uint32_t sched_run_runnable(const struct sched *s);
void sched_run_free(struct sched *s, struct run *run);

/* ---- sched_stage.c: stages and shuffles ---- */

/* The stage of a run: a new one, or the one of its shuffle. -EINVAL with a sentence. */
int sched_stage_get(struct sched *s, const Quern__Run *run, size_t i, const Quern__Split *const *splits,
	size_t n_splits, struct stage **ret, struct err *err);
void sched_stage_free(struct sched *s, struct stage *stage);
struct shuffle *sched_shuffle_find(const struct sched *s, uint32_t id);
bool sched_shuffle_complete(const struct shuffle *shuffle);
/* The output of a map is there; or is not any more. */
void sched_output_set(struct sched *s, struct task *t, struct executor *host, uint32_t attempt);
void sched_output_lost(struct sched *s, struct task *t);
/* Brings `shuffle->packed` up to date. It may not be asked for before it was complete once. */
int sched_shuffle_pack(struct sched *s, struct shuffle *shuffle);
void sched_shuffles_deinit(struct sched *s);

/* ---- sched_branch.c ---- */

/* Those of the stage's message. 0, -ENOMEM, or -EINVAL with a sentence: what does not fit together. */
int sched_branches_make(struct sched *s, struct stage *stage, size_t n_splits, struct err *err);
/* Whether the message means the same shuffles. */
bool sched_branches_same(const struct stage *stage, const Quern__Stage *message);
/* The branch of a task, by its number in the stage. */
struct branch *sched_stage_branch(const struct stage *stage, uint32_t partition);
uint32_t sched_stage_tasks(const struct stage *stage);
/* Whether everything that it reads is there. */
bool sched_stage_may_start(const struct stage *stage);

/* ---- sched_task.c ---- */

void sched_task_queue(struct sched *s, struct task *t);
/* What a pending task prefers has changed, or whether that is worth waiting for. */
void sched_task_requeue(struct sched *s, struct task *t);
/* A task of the stage for the agent, out of its queue; NULL: none. */
struct task *sched_task_pick(struct sched *s, struct stage *stage, const struct agent *agent, enum pick what);
/* Whether one that is tried again may go there. */
bool sched_task_retries(struct sched *s, const struct stage *stage, const struct agent *agent);
/* One of any ready stage that has room there. */
struct task *sched_task_pick_any(struct sched *s, const struct agent *agent, const struct room *room);
void sched_task_done(struct sched *s, struct task *t);
struct task *sched_task_at(const struct stage *stage, uint32_t partition);
/* The message that an executor runs. Borrows from the task. */
void sched_task_fill(const struct sched *s, const struct attempt *a, Quern__Task *ret);

/* ---- sched_size.c: what a task of a stage takes ---- */

uint32_t sched_size_cpus_milli(const struct sched *s, const struct stage *stage);
uint32_t sched_size_mem_mb(const struct sched *s, const struct stage *stage);
/* Slots that cover both; one at least. */
uint32_t sched_size_slots(const struct sched *s, const struct stage *stage);
/* Whether the job has said it. */
static inline bool sched_size_own(const struct stage *stage)
{
	return stage->message->task_cores_milli > 0 || stage->message->task_mem_mb > 0;
}
bool sched_size_fits(const struct sched *s, const struct stage *stage, const struct room *room);
/* One task has taken its part. */
void sched_size_take(const struct sched *s, const struct stage *stage, struct room *room);
/* The slots of as many as fit. */
uint32_t sched_size_count(const struct sched *s, const struct stage *stage, const struct room *room);
/* -EINVAL with a sentence: the job may not have so much at a time. */
int sched_size_check(const struct sched *s, const struct stage *stage, struct err *err);
/* That the run could use more than a limit by default allows: once, and when there is a master. */
int sched_size_say_limit(struct sched *s);
/* A stage of the run that is not done, of whose tasks no agent has room for one; NULL: there is none. */
const struct stage *sched_size_homeless(const struct sched *s);
/* Ends the run for it. */
int sched_size_give_up(struct sched *s, const struct stage *stage, const char *why);

/* ---- sched_cache.c ---- */

/* What a result says about persisted sets. */
int sched_cache_result(struct sched *s, struct executor *e, const Quern__TaskResult *result);
/* The executor has nothing any more. */
void sched_cache_lost(struct sched *s, struct executor *e);
/* The job wants a set no longer. */
int sched_cache_drop(struct sched *s, uint32_t id);
/* The executor has a new connection. */
int sched_cache_linked(struct sched *s, const struct executor *e);
/* The executors that save a task the most: those that have the last step of it that anybody has. How many. */
uint32_t sched_cache_owners(const struct sched *s, const struct task *t, struct executor *ret[PREFER_MAX]);
void sched_cache_deinit(struct sched *s);

/* ---- sched_tally.c ---- */

/* The run's accumulators. */
int sched_tally_run(struct sched *s, const Quern__Run *run);
/* A success of the task was accepted: what it counted, NULL: nothing. */
int sched_tally_add(struct sched *s, struct task *t, const Quern__Tally *m);
/* So many bad records may still be left out. */
uint64_t sched_tally_bad_left(const struct sched *s);
/* Ends a run when there are too many. */
int sched_tally_settle(struct sched *s);
void sched_tally_deinit(struct sched *s);

/* ---- sched_broadcast.c ---- */

/* A value for all tasks, under a new id; and when it is not wanted any more. */
int sched_broadcasts_add(struct sched *s, uint32_t id, uint64_t length, uint64_t checksum);
int sched_broadcasts_destroy(struct sched *s, uint32_t id);
/* The table of all, unless the executor has it as it is; and in any case. */
int sched_broadcasts_prepare(struct sched *s, struct executor *e);
int sched_broadcasts_send(struct sched *s, struct executor *e);
/* What an executor says that it has, or wants. */
int sched_broadcasts_copy(struct sched *s, struct executor *e, const Quern__ToDriver__Copy *said);
/* The executor has nothing any more. */
int sched_broadcasts_lost(struct sched *s, const struct executor *e);
void sched_broadcasts_deinit(struct sched *s);

/* ---- sched_attempt.c ---- */

/* A new attempt of a picked task; `h`: its hold, or NULL. */
int sched_attempt_new(
	struct sched *s, struct task *t, struct executor *e, struct hold *h, struct attempt **ret);
struct attempt *sched_attempt_find(
	const struct sched *s, uint32_t stage, uint32_t partition, uint32_t number);
int sched_attempt_result(struct sched *s, struct attempt *a, const Quern__TaskResult *result);
/* Its data came ahead of its end. */
int sched_attempt_data(struct sched *s, struct attempt *a, const Quern__ToDriver__Data *data);
/* It ended without a result of its own. */
int sched_attempt_lost(struct sched *s, struct attempt *a, bool counts, const char *why);
int sched_attempt_kill(struct sched *s, struct attempt *a);
/* One that went ahead has its slot. */
void sched_attempt_begins(struct sched *s, struct attempt *a);
/* Those that take too long. */
int sched_attempts_look(struct sched *s);
void sched_attempts_deinit(struct sched *s);

/* ---- sched_ahead.c ---- */

/* How long a task of the stage took. */
void sched_ahead_learn(struct sched *s, struct stage *stage, const Quern__TaskResult *result);
/* Slots or load changed: who has a slot now? */
void sched_ahead_settle(struct sched *s, struct executor *e);
/* Whether one more task may be sent there, slot or no slot. */
bool sched_ahead_room(struct sched *s, const struct executor *e);
/* With slots free elsewhere and nothing else to run. */
int sched_ahead_take_back(struct sched *s);

/* ---- sched_link.c ---- */

int sched_link_up(struct sched *s, const char *executor_id);
int sched_link_down(struct sched *s, const char *executor_id);
/* The executor is of no more use: it ends, with its agent or without. */
int sched_link_leave(struct sched *s, const struct executor *e);
int sched_link_message(struct sched *s, const char *executor_id, const Quern__ToDriver *m);
/* Tasks for the slots that are held. */
int sched_link_dispatch(struct sched *s);
/* Everything that this executor has, again. */
int sched_link_resend(struct sched *s, struct executor *e);
int sched_link_kill(struct sched *s, const struct attempt *a);
/* The stage and the outputs, ahead of an attempt at the task. */
int sched_link_prepare(struct sched *s, struct executor *e, const struct task *t);
/* Which slots are idle has changed: for stages whose tasks wait for places. */
void sched_link_note_idle(struct sched *s);
/* Asks for the end of a lease. */
int sched_link_end_lease(struct sched *s, const struct hold *h);

#endif
