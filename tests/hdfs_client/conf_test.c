#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "hdfs_client/conf.h"

#define CONF(text)     "<?xml version=\"1.0\"?>\n<configuration>" text "</configuration>"
#define P(name, value) "<property><name>" name "</name><value>" value "</value></property>\n"

static void parse(struct hdfs_conf *c, const char *text)
{
	struct err err = { "" };

	assert_int_equal(hdfs_conf_parse(c, "x.xml", text, strlen(text), &err), 0);
}

static void value_is(const struct hdfs_conf *c, const char *name, const char *want)
{
	struct err err = { "" };
	auto_free char *got = NULL;

	assert_int_equal(hdfs_conf_get(c, name, &got, &err), 0);
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

static void values_are_found_and_replaced(void **state)
{
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	(void)state;

	assert_int_equal(setenv("QUERN_TEST_DOMAIN", "example.org", 1), 0);
	parse(&c, CONF(P("a", " x ") "<property><description>what <b>it</b> is</description><name>b</name>"
				     "<final>true</final><value>1 &lt; 2 ${a}</value></property>"
				     "<property name=\"c\" value=\"of attributes\"/>" P(
					     "host", "nn.${env.QUERN_TEST_DOMAIN}") P("e",
					     "${env.QUERN_NOT_SET:-else}${nobody}") P("nested", "${${f}}")
					     P("f", "a") P("empty", "") P("round", "${round}")));
	value_is(&c, "a", "x");
	value_is(&c, "b", "1 < 2 x");
	value_is(&c, "c", "of attributes");
	value_is(&c, "host", "nn.example.org");
	value_is(&c, "e", "else${nobody}");
	value_is(&c, "nested", "x");
	value_is(&c, "empty", NULL);
	value_is(&c, "round", "${round}");
	value_is(&c, "not there", NULL);

	/* A later file wins, but over what is final. */
	parse(&c, CONF(P("a", "y") P("b", "z")));
	value_is(&c, "a", "y");
	value_is(&c, "b", "1 < 2 y");
}

static void what_is_no_configuration_is_refused(void **state)
{
	static const char *const texts[] = { "", "<configuration>", "<html></html>", "no XML",
		CONF("<xi:include href=\"other.xml\"/>"),
		"<!DOCTYPE c [<!ENTITY a \"b\">]>" CONF(P("a", "&a;")) };
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		auto_hdfs_conf struct hdfs_conf c = { 0 };
		struct err err = { "" };

		assert_int_equal(hdfs_conf_parse(&c, "x.xml", texts[i], strlen(texts[i]), &err), -EINVAL);
		assert_non_null(strstr(err.text, "x.xml"));
	}
}

static void what_grows_without_end_is_stopped(void **state)
{
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	auto_free char *got = NULL;
	struct err err = { "" };
	(void)state;

	parse(&c, CONF(P("a", "${b}${b}${b}${b}") P("b", "${a}${a}${a}${a}")));
	int r = hdfs_conf_get(&c, "a", &got, &err);
	assert_true(r == 0 || r == -EINVAL);
}

/* The services as lines "name namenodes[ tls]". */
static void services_are(const char *text, const char *want, bool want_kerberos)
{
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	auto_buf struct buf got = BUF_INIT(1 << 16);
	struct hdfs_access a = { 0 };
	struct err err = { "" };
	bool kerberos = false;

	parse(&c, text);
	assert_int_equal(hdfs_conf_apply(&c, &a, &kerberos, &err), 0);
	for (size_t i = 0; i < a.n_services; i++)
		assert_int_equal(buf_add_fmt(&got, "%s %s%s\n", a.services[i].name, a.services[i].namenodes,
					 a.services[i].tls ? " tls" : ""),
			0);
	assert_int_equal(buf_add(&got, "", 1), 0);
	assert_string_equal((const char *)got.data, want);
	assert_int_equal(kerberos, want_kerberos);
	hdfs_access_deinit(&a);
}

static void services_of_an_ha_pair(void **state)
{
	(void)state;
	services_are(CONF(P("fs.defaultFS", "hdfs://ns1") P("dfs.nameservices", "ns1, ns2") P(
			     "dfs.ha.namenodes.ns1", "a,b") P("dfs.namenode.http-address.ns1.a", "nn1:50070")
				     P("dfs.namenode.http-address.ns1.b", "0.0.0.0:50070")
					     P("dfs.namenode.rpc-address.ns1.b", "nn2:8020")
						     P("dfs.namenode.rpc-address.ns2", "nn3:8020")),
		"ns1 nn1:50070,nn2:50070\nns2 nn3\n nn1:50070,nn2:50070\n", false);
}

static void services_of_a_single_namenode(void **state)
{
	(void)state;
	services_are(CONF(P("fs.defaultFS", "hdfs://nn:8020/") P("dfs.namenode.http-address", "0.0.0.0:9880")
				     P("hadoop.security.authentication", "kerberos")),
		" nn:9880\nnn:8020 nn:9880\nnn nn:9880\n", true);
	services_are(CONF(P("fs.defaultFS", "hdfs://nn")), " nn\nnn nn\nnn:8020 nn\n", false);
	services_are(CONF(P("fs.defaultFS", "hdfs://nn:9000")), " nn\nnn:9000 nn\n", false);
	services_are(CONF(P("fs.defaultFS", "file:///")), "", false);
	services_are(CONF(P("fs.defaultFS", "swebhdfs://nn:9999")), " nn:9999 tls\n", false);
	services_are(CONF(""), "", false);
}

static void services_over_tls(void **state)
{
	(void)state;
	services_are(CONF(P("fs.defaultFS", "hdfs://nn:8020") P("dfs.http.policy", "HTTPS_ONLY")
				     P("dfs.namenode.https-address", "web.example:9999")),
		" web.example:9999 tls\nnn:8020 web.example:9999 tls\nnn web.example:9999 tls\n", false);
	services_are(CONF(P("dfs.nameservices", "n") P("dfs.http.policy", "HTTP_AND_HTTPS") P(
			     "dfs.namenode.http-address.n", "a:1") P("dfs.namenode.https-address.n", "a:2")),
		"n a:1\nn a:2 tls\n", false);
}

static void addresses_that_are_none_are_named(void **state)
{
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	struct hdfs_access a = { 0 };
	struct err err = { "" };
	bool kerberos;
	(void)state;

	parse(&c, CONF(P("dfs.nameservices", "ns1") P("dfs.namenode.http-address.ns1", "nn:port")));
	assert_int_equal(hdfs_conf_apply(&c, &a, &kerberos, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nn:port"));
	hdfs_access_deinit(&a);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	auto_free char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *folder, const char *name)
{
	auto_free char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
	assert_int_equal(unlink(path), 0);
}

static void a_folder_has_one_or_both(void **state)
{
	char folder[] = "/tmp/quern-conf-XXXXXX";
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	struct err err = { "" };
	(void)state;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(hdfs_conf_read(&c, folder, &err), -ENOENT);
	assert_non_null(strstr(err.text, folder));
	write_file(folder, "hdfs-site.xml", CONF(P("b", "${a}")));
	assert_int_equal(hdfs_conf_read(&c, folder, &err), 0);
	write_file(folder, "core-site.xml", CONF(P("a", "x")));
	assert_int_equal(hdfs_conf_read(&c, folder, &err), 0);
	value_is(&c, "b", "x");
	write_file(folder, "core-site.xml", "nothing");
	assert_int_equal(hdfs_conf_read(&c, folder, &err), -EINVAL);
	assert_non_null(strstr(err.text, "core-site.xml"));
	remove_file(folder, "core-site.xml");
	remove_file(folder, "hdfs-site.xml");
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_and_replaced),
		cmocka_unit_test(what_is_no_configuration_is_refused),
		cmocka_unit_test(what_grows_without_end_is_stopped),
		cmocka_unit_test(services_of_an_ha_pair),
		cmocka_unit_test(services_of_a_single_namenode),
		cmocka_unit_test(services_over_tls),
		cmocka_unit_test(addresses_that_are_none_are_named),
		cmocka_unit_test(a_folder_has_one_or_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
