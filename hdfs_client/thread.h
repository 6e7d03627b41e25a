/* thread.h: a thread with an event loop, for callers that wait. What is done on the loop is handed to it as
 * jobs; the two sides share what a mutex guards. */
#ifndef QUERN_HDFS_CLIENT_THREAD_H
#define QUERN_HDFS_CLIENT_THREAD_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"

struct hdfs_thread;

/* Part of something that both sides know; used again once it has run. */
struct hdfs_job {
	void (*run)(void *arg); /* on the loop */
	void *arg;
	struct hdfs_job *next; /* the thread's */
};

/* Starts it, with all signals blocked. -ENOMEM, -EAGAIN, -EMFILE... */
int hdfs_thread_new(struct hdfs_thread **ret, struct err *err);

/* Runs what was posted, and ends it; what the loop has is freed by whoever made it, between
 * hdfs_thread_stop() and hdfs_thread_free(), which stops it if nobody did. Takes NULL, returns NULL. */
void hdfs_thread_stop(struct hdfs_thread *t);
struct hdfs_thread *hdfs_thread_free(struct hdfs_thread *t);

/* Its loop, for jobs and for what they start. */
struct event_base *hdfs_thread_loop(const struct hdfs_thread *t);

/* Has `job` run, after those that were posted before. By any thread. */
void hdfs_thread_post(struct hdfs_thread *t, struct hdfs_job *job);

/* The mutex, for what the two sides share. Not held while a job runs. */
void hdfs_thread_lock(struct hdfs_thread *t);
void hdfs_thread_unlock(struct hdfs_thread *t);

/* With the mutex: waits until the other side calls hdfs_thread_wake(), or for no reason. */
void hdfs_thread_wait(struct hdfs_thread *t);
/* The same, for a millisecond at most. */
void hdfs_thread_wait_little(struct hdfs_thread *t);
void hdfs_thread_wake(struct hdfs_thread *t);

/* Posts `job`, and waits until the loop's side has set *over, by hdfs_thread_finish(). */
void hdfs_thread_call(struct hdfs_thread *t, struct hdfs_job *job, const bool *over);
void hdfs_thread_finish(struct hdfs_thread *t, bool *over);

AUTO_FREE(hdfs_thread, struct hdfs_thread, hdfs_thread_free)
#define auto_hdfs_thread AUTO_CLEANUP(auto_hdfs_thread_cleanup_)

#endif
