#include "mesos/leader.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* MASTER_INFO_JSON_LABEL of src/master/constants.hpp, and what ZooKeeper appends. */
static const char label[] = "json.info_";

enum { DIGITS_MAX = 10, HOST_MAX = 255 };

static bool node_number(const char *name, uint64_t *ret)
{
	uint64_t n = 0;

	if (strncmp(name, label, sizeof(label) - 1) != 0)
		return false;
	name += sizeof(label) - 1;
	size_t len = strspn(name, "0123456789");
	if (len == 0 || len > DIGITS_MAX || name[len] != '\0')
		return false;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (uint64_t)(name[i] - '0');
	*ret = n;
	return true;
}

long leader_pick(const char *const *names, size_t n)
{
	uint64_t lowest = UINT64_MAX, number;
	long found = -1;

	for (size_t i = 0; i < n; i++)
		if (node_number(names[i], &number) && number < lowest) {
			lowest = number;
			found = (long)i;
		}
	return found;
}

static const char *string_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	/* One with a NUL in it would be another than it seems. */
	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool is_host_name(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("-._", text[i]) == NULL)
			return false;
	return len > 0 && len < HOST_MAX && text[0] != '-';
}

static int from_address(const json_t *address, char ret[LEADER_ENDPOINT_MAX], struct err *err)
{
	const char *ip = string_of(address, "ip"), *hostname = string_of(address, "hostname");
	const json_t *port = json_object_get(address, "port");
	json_int_t number = json_integer_value(port);
	struct in6_addr parsed;
	bool v6 = false;

	if (!json_is_object(address))
		return err_set(err, -EBADMSG, "it has no address");
	if (!json_is_integer(port) || number < 1 || number > 65535)
		return err_set(err, -EBADMSG, "its port is none");
	if (ip != NULL && inet_pton(AF_INET6, ip, &parsed) == 1)
		v6 = true;
	else if (ip != NULL && inet_pton(AF_INET, ip, &parsed) != 1)
		return err_set(err, -EBADMSG, "its ip is none");
	else if (ip == NULL && (hostname == NULL || !is_host_name(hostname)))
		return err_set(err, -EBADMSG, "it has neither an ip nor a hostname");
	(void)snprintf(ret, LEADER_ENDPOINT_MAX, "%s%s%s:%d", v6 ? "[" : "", ip != NULL ? ip : hostname,
		v6 ? "]" : "", (int)number);
	return 0;
}

int leader_endpoint(const void *json, size_t len, char ret[LEADER_ENDPOINT_MAX], struct err *err)
{
	if (len > LEADER_JSON_MAX)
		return err_set(err, -EBADMSG, "it is %zu bytes long", len);
	json_t *object = json_loadb(json, len, JSON_ALLOW_NUL, NULL);
	if (object == NULL)
		return err_set(err, -EBADMSG, "it is no JSON");
	int r = from_address(json_object_get(object, "address"), ret, err);
	json_decref(object);
	return r;
}
