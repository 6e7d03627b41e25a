#include "local/fetch_uri.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "local/extract.h"

static bool starts(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* A relative path without "..", not empty and not ending in a slash. */
static bool name_stays(const char *name)
{
	if (*name == '\0' || *name == '/' || name[strlen(name) - 1] == '/')
		return false;
	for (const char *p = name; *p != '\0'; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return false;
		p += len;
	}
	return true;
}

static int parse_source(const char *value, struct fetch_uri *u, struct err *err)
{
	const char *scheme = strstr(value, "://");

	if (strpbrk(value, "\\'") != NULL)
		return err_set(err, -EINVAL, "Illegal characters in URI");
	u->http = starts(value, "http://") || starts(value, "https://");
	if (starts(value, "file://")) {
		value += strlen("file://");
		if (starts(value, "localhost/"))
			value += strlen("localhost");
	} else if (scheme != NULL && !u->http) {
		return err_set(err, -EINVAL,
			"Failed to fetch '%.300s': only http, https and files can be fetched", value);
	}
	const char *path = u->http ? strchr(strstr(value, "://") + 3, '/') : value;
	if (path == NULL || path[0] == '\0' || path[strlen(path) - 1] == '/')
		return err_set(err, -EINVAL, "Malformed URI (missing path): %.300s", value);
	if (!u->http && path[0] != '/')
		return err_set(err, -EINVAL,
			"Failed to fetch '%.300s': file URI only supports absolute paths", value);
	u->source = strdup(value);
	u->target = strdup(strrchr(path, '/') + 1);
	return u->source != NULL && u->target != NULL ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int fetch_uri_parse(const Mesos__V1__CommandInfo__URI *uri, struct fetch_uri *ret, struct err *err)
{
	struct fetch_uri u = {
		.executable = uri->has_executable && uri->executable,
		.extract = !uri->has_extract || uri->extract,
	};

	int r = parse_source(uri->value, &u, err);
	if (r == 0 && uri->output_file != NULL) {
		free(u.target);
		u.target = strdup(uri->output_file);
		if (u.target == NULL)
			r = err_set(err, -ENOMEM, "out of memory");
	}
	if (r == 0 && !name_stays(u.target))
		r = err_set(err, -EINVAL, "URI output file must be within the sandbox directory: '%.300s'",
			u.target);
	if (r < 0) {
		fetch_uri_deinit(&u);
		return r;
	}
	u.extract = u.extract && !u.executable && (extract_is_archive(u.target) || extract_is_gzip(u.target));
	*ret = u;
	return 0;
}

void fetch_uri_deinit(struct fetch_uri *u)
{
	free(u->source);
	free(u->target);
	*u = (struct fetch_uri){ .http = false };
}

char *fetch_uri_redirect(const char *url, const char *location)
{
	char *whole = NULL, *ret = NULL;

	CURLU *u = curl_url();
	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
		(starts(whole, "http://") || starts(whole, "https://")))
		ret = strdup(whole);
	curl_free(whole);
	curl_url_cleanup(u);
	return ret;
}
