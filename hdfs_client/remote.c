#include "hdfs_client/remote.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"

/* RemoteException.exception: the class of Java without its package. Of a row with `words`, the message has
 * them too. The first that fits counts. */
static const struct row {
	const char *exception, *words;
	enum hdfs_outcome outcome;
	int code;
	const char *text; /* NULL: the message itself; one that ends with ':' goes before it */
} rows[] = {
	{ "StandbyException", NULL, HDFS_STANDBY, -EHOSTDOWN, "on standby" },
	{ "ObserverRetryOnActiveException", NULL, HDFS_STANDBY, -EHOSTDOWN, "an observer" },
	{ "SafeModeException", NULL, HDFS_NOT_NOW, -EROFS, "HDFS is in safe mode:" },
	{ NULL, "Name node is in safe mode", HDFS_NOT_NOW, -EROFS, "HDFS is in safe mode:" },
	{ "RetriableException", NULL, HDFS_NOT_NOW, -EHOSTDOWN, NULL },
	{ "ServerTooBusyException", NULL, HDFS_NOT_NOW, -EHOSTDOWN, NULL },
	{ "NSQuotaExceededException", NULL, HDFS_ANSWERED, -EDQUOT, "a quota is used up:" },
	{ "DSQuotaExceededException", NULL, HDFS_ANSWERED, -EDQUOT, "a quota is used up:" },
	{ "QuotaByStorageTypeExceededException", NULL, HDFS_ANSWERED, -EDQUOT, "a quota is used up:" },
	{ "QuotaExceededException", NULL, HDFS_ANSWERED, -EDQUOT, "a quota is used up:" },
	{ "InvalidToken", NULL, HDFS_ANSWERED, -EKEYEXPIRED, "the delegation token is not accepted:" },
	{ "ExpiredTokenException", NULL, HDFS_ANSWERED, -EKEYEXPIRED,
		"the delegation token is not accepted:" },
	/* Of a request that came with it: a SecurityException around it. */
	{ NULL, "SecretManager$InvalidToken", HDFS_ANSWERED, -EKEYEXPIRED,
		"the delegation token is not accepted:" },
	{ "FileNotFoundException", "Path is not a file", HDFS_ANSWERED, -EISDIR, "it is a folder" },
	{ "FileNotFoundException", NULL, HDFS_ANSWERED, -ENOENT, "no such file or folder" },
	{ "AccessControlException", "(is not a directory)", HDFS_ANSWERED, -ENOTDIR,
		"what should be its folder is a file:" },
	{ "AccessControlException", NULL, HDFS_ANSWERED, -EACCES, "permission denied:" },
	{ "AuthorizationException", NULL, HDFS_ANSWERED, -EACCES, "permission denied:" },
	{ "SecurityException", NULL, HDFS_ANSWERED, -EACCES, "not let in:" },
	{ "FileAlreadyExistsException", "is a directory", HDFS_ANSWERED, -EISDIR, "it is a folder" },
	{ "FileAlreadyExistsException", NULL, HDFS_ANSWERED, -EEXIST, "it exists already" },
	{ NULL, "must both be directories", HDFS_ANSWERED, -EEXIST, "the new name exists already" },
	{ NULL, "is a directory or file under source", HDFS_ANSWERED, -EINVAL, "the new name is within it" },
	{ "ParentNotDirectoryException", NULL, HDFS_ANSWERED, -ENOTDIR,
		"what should be its folder is a file:" },
	{ "PathIsNotEmptyDirectoryException", NULL, HDFS_ANSWERED, -ENOTEMPTY, "the folder is not empty" },
	{ NULL, "is non empty", HDFS_ANSWERED, -ENOTEMPTY, "the folder is not empty" },
	{ "AlreadyBeingCreatedException", NULL, HDFS_ANSWERED, -EBUSY, "somebody is writing it:" },
	{ "RecoveryInProgressException", NULL, HDFS_ANSWERED, -EBUSY, "somebody was writing it:" },
	{ "InvalidPathException", NULL, HDFS_ANSWERED, -EINVAL, NULL },
	{ "PathComponentTooLongException", NULL, HDFS_ANSWERED, -ENAMETOOLONG, NULL },
	{ NULL, "could only be written to", HDFS_ANSWERED, -ENOSPC, "no DataNode has room for it:" },
	{ NULL, "are bad. Aborting", HDFS_ANSWERED, -EIO,
		"no DataNode is left of those that it was written to:" },
	{ NULL, "Failed to find datanode", HDFS_ANSWERED, -ENOSPC, "there is no DataNode for it:" },
	{ NULL, "out of the range", HDFS_ANSWERED, -ESTALE, "it is shorter than it was:" },
	{ "IllegalArgumentException", "Invalid value for webhdfs parameter \"op\"", HDFS_ANSWERED,
		-EOPNOTSUPP, NULL },
	{ "IllegalArgumentException", "[op]", HDFS_ANSWERED, -EOPNOTSUPP, NULL }, /* HttpFS */
	{ "QueryParamException", "[op]", HDFS_ANSWERED, -EOPNOTSUPP, NULL },
	{ "UnsupportedOperationException", NULL, HDFS_ANSWERED, -EOPNOTSUPP, NULL },
	{ "IllegalArgumentException", NULL, HDFS_ANSWERED, -EINVAL, NULL },
};

/* One line, printable, and not too long; the rest of a Java message is its stack. */
static void copy_line(char *to, size_t size, const char *from)
{
	size_t n = 0;

	while (n + 1 < size && from[n] != '\0' && from[n] != '\n') {
		to[n] = (unsigned char)from[n] < ' ' || from[n] == 0x7f ? ' ' : from[n];
		n++;
	}
	while (n > 0 && (to[n - 1] == ' ' || ((unsigned char)from[n] & 0xc0) == 0x80)) {
		if (to[n - 1] != ' ' && ((unsigned char)to[n - 1] & 0xc0) != 0x80) {
			n--; /* the first byte of a character that was cut */
			break;
		}
		n--;
	}
	to[n] = '\0';
}

static void say(struct hdfs_refusal *ret, const char *text, const char *message)
{
	char line[300];

	copy_line(line, sizeof(line), message);
	if (line[0] == '\0')
		(void)strcpy(line, "no reason is given");
	if (text == NULL)
		(void)snprintf(ret->text, sizeof(ret->text), "%s", line);
	else if (text[strlen(text) - 1] == ':' && strncasecmp(line, text, strlen(text) - 1) == 0)
		(void)snprintf(ret->text, sizeof(ret->text), "%s", line); /* it says so itself */
	else if (text[strlen(text) - 1] == ':')
		(void)snprintf(ret->text, sizeof(ret->text), "%s %s", text, line);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "%s", text);
}

static void read_exception(const char *exception, const char *message, struct hdfs_refusal *ret)
{
	const char *dollar = strrchr(exception, '$'); /* SecretManager$InvalidToken */

	if (dollar != NULL)
		exception = dollar + 1;
	*ret = (struct hdfs_refusal){ .outcome = HDFS_ANSWERED, .code = -EIO };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if ((row->exception != NULL && strcmp(row->exception, exception) != 0) ||
			(row->words != NULL && strstr(message, row->words) == NULL))
			continue;
		ret->outcome = row->outcome;
		ret->code = row->code;
		say(ret, row->text, message);
		return;
	}
	say(ret, NULL, message[0] != '\0' ? message : exception);
}

/* An answer of somebody that is no WebHDFS: a gateway, or a filter before it. */
static void read_status(long status, struct hdfs_refusal *ret)
{
	*ret = (struct hdfs_refusal){ .outcome = HDFS_ANSWERED, .code = -EIO };
	if (status == 401 || status == 403) {
		ret->code = -EACCES;
		(void)snprintf(ret->text, sizeof(ret->text),
			"not let in (HTTP status %ld): it wants a Kerberos ticket (kinit, --hdfs-negotiate) "
			"or a delegation token",
			status);
		return;
	}
	if (status == 503 || status == 429)
		ret->outcome = HDFS_NOT_NOW;
	else if (status == 502 || status == 504)
		ret->outcome = HDFS_LOST;
	if (ret->outcome != HDFS_ANSWERED)
		ret->code = -EHOSTDOWN;
	if (status == 404)
		ret->code = -EBADMSG;
	(void)snprintf(ret->text, sizeof(ret->text), "HTTP status %ld%s", status,
		status == 404 ? ": there is no WebHDFS at this address" : "");
}

void hdfs_refusal_read(long status, const void *body, size_t len, struct hdfs_refusal *ret)
{
	const char *exception = NULL, *message = "";
	json_t *root = json_loadb(body != NULL ? body : "", len, JSON_REJECT_DUPLICATES, NULL);

	if (json_unpack(root, "{s:{s:s,s?s}}", "RemoteException", "exception", &exception, "message",
		    &message) == 0 &&
		exception != NULL)
		read_exception(exception, message, ret);
	else
		read_status(status, ret);
	json_decref(root);
}
