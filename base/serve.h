/* serve.h: files over HTTP, by sendfile, on evhttp. */
#ifndef QUERN_BASE_SERVE_H
#define QUERN_BASE_SERVE_H

#include <event2/http.h>
#include <stdint.h>

/* Answers with 200 and `length` bytes of `fd` from `offset` on; nothing else may write to them meanwhile.
 * `fd` stays the caller's, who may close it at once. 0, or -errno: nothing was answered. */
int serve_file(struct evhttp_request *request, int fd, uint64_t offset, uint64_t length);

/* Files that a server offers, each under a path of its own, to those who prove that they know the job's
 * secret (proof.h): 401 without proof, 405 for what is not GET. */
struct offers;

/* `http` is borrowed, and must outlive *ret. 0 or -ENOMEM. */
int offers_new(struct evhttp *http, const uint8_t *secret, const char *server, struct offers **ret);
struct offers *offers_free(struct offers *o);

/* Offers all `length` bytes of `fd` under "/PATH" ("/broadcast/3"). `fd` is taken, also on failure. 0,
 * -ENOMEM, or -EEXIST. */
int offers_add(struct offers *o, const char *path, int fd, uint64_t length);

/* Offers it no longer; answers that are under way go on. Nothing where there is none. */
void offers_remove(struct offers *o, const char *path);

#endif
