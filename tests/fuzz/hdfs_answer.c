/* hdfs_answer.c: what WebHDFS answers. The first byte chooses the kind. */
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/answer.h"
#include "hdfs_client/redirect.h"
#include "hdfs_client/remote.h"

static void want(bool holds)
{
	if (!holds)
		abort();
}

static void check_listing(struct hdfs_json j)
{
	struct hdfs_listing l = { 0 };
	struct err err;
	uint64_t more;

	if (hdfs_answer_listing(j, "/d", &l, &more, &err) == 0)
		want(more == 0 || l.n > 0);
	for (size_t i = 0; i < l.n; i++) {
		const char *path = l.at[i].path;

		want(strncmp(path, "/d", 2) == 0 && strcmp(path, "/d/.") != 0 && strcmp(path, "/d/..") != 0);
		want(path[2] == '\0' || (path[2] == '/' && strchr(path + 3, '/') == NULL));
		want(l.at[i].permission <= 07777 && l.at[i].length <= INT64_MAX);
	}
	hdfs_listing_sort(&l);
	hdfs_listing_deinit(&l);
}

static void check_blocks(struct hdfs_json j)
{
	struct hdfs_blocks b = { 0 };
	struct err err;
	uint64_t end = 0;

	(void)hdfs_answer_blocks(j, &b, &err);
	for (size_t i = 0; i < b.n; i++) {
		want(b.at[i].offset >= end && b.at[i].n <= HDFS_REPLICAS_MAX);
		end = b.at[i].offset + b.at[i].length;
		for (size_t k = 0; k < b.at[i].n; k++)
			want(hdfs_host_ok(b.at[i].replicas[k].host) &&
				hdfs_host_ok(b.at[i].replicas[k].address));
	}
	hdfs_blocks_deinit(&b);
}

static int node(void *arg, const char *host, const char *address, uint16_t port)
{
	(void)arg;
	(void)port;
	want(hdfs_host_ok(host) && hdfs_host_ok(address));
	return 0;
}

static void check_small(struct hdfs_json j)
{
	struct hdfs_status s;
	struct hdfs_summary sum;
	struct hdfs_checksum c;
	struct err err;
	uint64_t n;
	char *text = NULL;
	bool yes;

	if (hdfs_answer_status(j, "/", &s, &err) == 0)
		hdfs_status_deinit(&s);
	(void)hdfs_answer_summary(j, &sum, &err);
	if (hdfs_answer_checksum(j, &c, &err) == 0)
		hdfs_checksum_deinit(&c);
	(void)hdfs_answer_boolean(j, &yes, &err);
	if (hdfs_answer_long(j, &n, &err) == 0)
		want(n <= INT64_MAX);
	if (hdfs_answer_home(j, &text, &err) == 0)
		want(text[0] == '/');
	free(text);
	text = NULL;
	(void)hdfs_answer_location(j, &text, &err);
	free(text);
	text = NULL;
	(void)hdfs_answer_token(j, &text, &err);
	free(text);
}

static void check_refusal(struct hdfs_json j)
{
	struct hdfs_refusal r;

	hdfs_refusal_read(403, j.data, j.len, &r);
	want(r.code < 0 && r.text[0] != '\0');
	for (const char *p = r.text; *p != '\0'; p++)
		want((unsigned char)*p >= ' ' && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	if (size == 0)
		return 0;
	const struct hdfs_json j = { .data = data + 1, .len = size - 1 };
	switch (data[0]) {
	case 'l':
		check_listing(j);
		break;
	case 'b':
		check_blocks(j);
		break;
	case 'n':
		(void)hdfs_answer_nodes(j, node, NULL, &err);
		break;
	case 'r':
		check_refusal(j);
		break;
	default:
		check_small(j);
		break;
	}
	return 0;
}
