#include "cli/fs_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"

/* Bytes of the character at `p`, which is not the end; 0: that is not UTF-8. */
static size_t char_len(const unsigned char *p)
{
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || /* too long; a surrogate */
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

bool fs_is_utf8(const char *text)
{
	size_t n;

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p += n)
		if ((n = char_len(p)) == 0)
			return false;
	return true;
}

/* U+0000 to U+001F, U+007F to U+009F. */
static bool is_control(const unsigned char *p, size_t n)
{
	return n == 1 ? p[0] < ' ' || p[0] == 0x7f : n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

char *fs_escape(const char *text)
{
	char *ret = malloc(4 * strlen(text) + 1), *to = ret;

	if (ret == NULL)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
		size_t n = char_len(p);

		if (n > 0 && !is_control(p, n)) {
			memcpy(to, p, n);
			to += n;
			p += n;
		} else if (*p == '\n' || *p == '\t') {
			*to++ = '\\';
			*to++ = *p++ == '\n' ? 'n' : 't';
		} else {
			/* Byte by byte. */
			for (size_t i = 0; i < (n > 0 ? n : 1); i++, p++)
				to += sprintf(to, "\\x%02x", (unsigned)*p);
		}
	}
	*to = '\0';
	return ret;
}

void fs_write_name(FILE *out, const char *text)
{
	auto_free char *escaped = isatty(fileno(out)) == 1 ? fs_escape(text) : NULL;

	(void)fputs(escaped != NULL ? escaped : text, out);
}

int fs_wider(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

void fs_size_text(uint64_t n, bool human, char ret[static FS_SIZE_TEXT])
{
	static const char prefixes[] = "KMGTPE";
	unsigned shift = 10;

	if (!human || n < 1024) {
		(void)snprintf(ret, FS_SIZE_TEXT, "%llu", (unsigned long long)n);
		return;
	}
	while (shift < 60 && n >> (shift + 10) > 0)
		shift += 10;
	if (shift < 60 && (double)n / (double)(1ULL << shift) >= 1023.95) /* it would be rounded to 1024.0 */
		shift += 10;
	if ((n & ((1ULL << shift) - 1)) == 0)
		(void)snprintf(ret, FS_SIZE_TEXT, "%llu %c", (unsigned long long)(n >> shift),
			prefixes[shift / 10 - 1]);
	else
		(void)snprintf(ret, FS_SIZE_TEXT, "%.1f %c", (double)n / (double)(1ULL << shift),
			prefixes[shift / 10 - 1]);
}

void fs_mode_text(const struct hdfs_status *s, char ret[static FS_MODE_TEXT])
{
	static const char letters[] = "rwxrwxrwx";

	ret[0] = s->kind == HDFS_FOLDER ? 'd' : s->kind == HDFS_SYMLINK ? 'l' : '-';
	for (unsigned i = 0; i < 9; i++)
		ret[1 + i] = (s->permission >> (8 - i) & 1) != 0 ? letters[i] : '-';
	if ((s->permission & 01000) != 0)
		ret[9] = ret[9] == 'x' ? 't' : 'T';
	ret[10] = '\0';
}

void fs_time_text(uint64_t ms, bool exact, char ret[static FS_TIME_TEXT])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	if ((exact ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)) == NULL ||
		strftime(ret, FS_TIME_TEXT, exact ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M", &tm) == 0)
		(void)snprintf(ret, FS_TIME_TEXT, "?");
}
