#include "hdfs_client/thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct hdfs_thread {
	struct event_base *loop;
	struct event *posted; /* of `wake` */
	int wake;
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex; /* guards what follows, and what the two sides share besides */
	pthread_cond_t cond;
	struct hdfs_job *first, **last;
	bool stopping;
};

static void on_posted(evutil_socket_t fd, short what, void *arg)
{
	struct hdfs_thread *t = arg;
	struct hdfs_job *job;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	hdfs_thread_lock(t);
	while ((job = t->first) != NULL) {
		t->first = job->next;
		if (t->first == NULL)
			t->last = &t->first;
		hdfs_thread_unlock(t);
		job->run(job->arg); /* and is perhaps no more */
		hdfs_thread_lock(t);
	}
	if (t->stopping)
		(void)event_base_loopbreak(t->loop);
	hdfs_thread_unlock(t);
}

static void *run(void *arg)
{
	struct hdfs_thread *t = arg;

	(void)event_base_dispatch(t->loop);
	return NULL;
}

static int start(struct hdfs_thread *t)
{
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	int k = pthread_create(&t->thread, NULL, run, t);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	t->running = k == 0;
	return -k;
}

int hdfs_thread_new(struct hdfs_thread **ret, struct err *err)
{
	auto_hdfs_thread struct hdfs_thread *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	t->last = &t->first;
	(void)pthread_mutex_init(&t->mutex, NULL); /* neither fails, without attributes */
	(void)pthread_cond_init(&t->cond, NULL);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake < 0)
		return err_errno(err, -errno, "no descriptor for HDFS");
	t->loop = event_base_new();
	t->posted = t->loop != NULL ? event_new(t->loop, t->wake, EV_READ | EV_PERSIST, on_posted, t) : NULL;
	if (t->posted == NULL || event_add(t->posted, NULL) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	int k = start(t);
	if (k < 0)
		return err_errno(err, k, "no thread for HDFS");
	*ret = t;
	t = NULL;
	return 0;
}

static void wake_loop(struct hdfs_thread *t)
{
	const uint64_t one = 1;

	(void)!write(t->wake, &one, sizeof(one)); /* it is full: then it is awake */
}

void hdfs_thread_stop(struct hdfs_thread *t)
{
	if (t == NULL || !t->running)
		return;
	hdfs_thread_lock(t);
	t->stopping = true;
	hdfs_thread_unlock(t);
	wake_loop(t);
	(void)pthread_join(t->thread, NULL);
	t->running = false;
}

struct hdfs_thread *hdfs_thread_free(struct hdfs_thread *t)
{
	if (t == NULL)
		return NULL;
	hdfs_thread_stop(t);
	if (t->posted != NULL)
		event_free(t->posted);
	if (t->loop != NULL)
		event_base_free(t->loop);
	if (t->wake >= 0)
		(void)close(t->wake);
	(void)pthread_cond_destroy(&t->cond);
	(void)pthread_mutex_destroy(&t->mutex);
	free(t);
	return NULL;
}

struct event_base *hdfs_thread_loop(const struct hdfs_thread *t)
{
	return t->loop;
}

void hdfs_thread_post(struct hdfs_thread *t, struct hdfs_job *job)
{
	hdfs_thread_lock(t);
	job->next = NULL;
	*t->last = job;
	t->last = &job->next;
	hdfs_thread_unlock(t);
	wake_loop(t);
}

void hdfs_thread_lock(struct hdfs_thread *t)
{
	(void)pthread_mutex_lock(&t->mutex);
}

void hdfs_thread_unlock(struct hdfs_thread *t)
{
	(void)pthread_mutex_unlock(&t->mutex);
}

void hdfs_thread_wait(struct hdfs_thread *t)
{
	(void)pthread_cond_wait(&t->cond, &t->mutex);
}

void hdfs_thread_wait_little(struct hdfs_thread *t)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	(void)pthread_cond_clockwait(&t->cond, &t->mutex, CLOCK_MONOTONIC, &end);
}

void hdfs_thread_wake(struct hdfs_thread *t)
{
	(void)pthread_cond_broadcast(&t->cond);
}

void hdfs_thread_call(struct hdfs_thread *t, struct hdfs_job *job, const bool *over)
{
	hdfs_thread_post(t, job);
	hdfs_thread_lock(t);
	while (!*over)
		hdfs_thread_wait(t);
	hdfs_thread_unlock(t);
}

void hdfs_thread_finish(struct hdfs_thread *t, bool *over)
{
	hdfs_thread_lock(t);
	*over = true;
	hdfs_thread_wake(t);
	hdfs_thread_unlock(t);
}
