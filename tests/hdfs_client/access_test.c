#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hdfs_client/access.h"

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

static struct hdfs_access full(void)
{
	struct hdfs_access a = { .negotiate = true, .patience_ms = 5000 };
	struct err err = { "" };

	assert_int_equal(hdfs_access_set_user(&a, "alice", &err), 0);
	assert_int_equal(hdfs_access_set_ca(&a, CERTIFICATE, &err), 0);
	assert_int_equal(hdfs_access_add_host(&a, "dn1.quern.test", "127.0.1.1", &err), 0);
	assert_int_equal(hdfs_access_add_host(&a, "dn2.quern.test", "[::1]:9864", &err), 0);
	assert_int_equal(hdfs_access_add_service(&a, "NS1", "nn1:9870,nn2:9870", false, &err), 0);
	assert_int_equal(hdfs_access_add_service(&a, "ns1", "nn1:9871,nn2:9871", true, &err), 0);
	assert_int_equal(hdfs_access_add_service(&a, "ns2", "nn3", false, &err), 0);
	assert_int_equal(hdfs_access_add_token(&a, "NS1", "HAAEYWxpY2U-_w==", &err), 0);
	return a;
}

static void all_of_it_arrives(void **state)
{
	auto_buf struct buf packed = BUF_INIT(1 << 20);
	struct hdfs_access a = full(), got;
	struct err err = { "" };
	(void)state;

	assert_int_equal(hdfs_access_pack(&a, &packed), 0);
	assert_int_equal(hdfs_access_unpack(packed.data, packed.len, &got, &err), 0);
	assert_string_equal(got.user, "alice");
	assert_string_equal(got.ca, CERTIFICATE);
	assert_true(got.negotiate);
	assert_int_equal(got.patience_ms, 5000);
	assert_int_equal(got.n_hosts, 2);
	assert_string_equal(got.hosts[1].name, "dn2.quern.test");
	assert_string_equal(got.hosts[1].address, "[::1]:9864");
	assert_int_equal(got.n_services, 3);
	assert_string_equal(got.services[1].namenodes, "nn1:9871,nn2:9871");
	assert_true(got.services[1].tls);
	assert_string_equal(hdfs_access_token(&got, "ns1"), "HAAEYWxpY2U-_w==");
	assert_null(hdfs_access_token(&got, "ns2"));
	hdfs_access_deinit(&got);
	hdfs_access_deinit(&a);

	/* Of nothing, nothing. */
	buf_clear(&packed);
	assert_int_equal(hdfs_access_pack(&a, &packed), 0);
	assert_int_equal(hdfs_access_unpack(packed.data, packed.len, &got, &err), 0);
	assert_null(got.user);
	assert_int_equal(got.n_tokens, 0);
	hdfs_access_deinit(&got);
}

static void what_is_cut_is_refused(void **state)
{
	auto_buf struct buf packed = BUF_INIT(1 << 20);
	struct hdfs_access a = full(), got;
	struct err err = { "" };
	(void)state;

	assert_int_equal(hdfs_access_pack(&a, &packed), 0);
	hdfs_access_deinit(&a);
	assert_int_equal(hdfs_access_unpack(packed.data, packed.len - 1, &got, &err), -EPROTO);
	assert_true(err.text[0] != '\0');
	assert_int_equal(got.n_hosts, 0);
	assert_null(got.user);
}

static void a_copy_is_its_own(void **state)
{
	struct hdfs_access a = full(), copy;
	struct err err = { "" };
	(void)state;

	a.known = true;
	assert_int_equal(hdfs_access_copy(&a, &copy, &err), 0);
	assert_true(copy.known);
	assert_int_equal(hdfs_access_add_token(&a, "ns1", "other", &err), 0);
	assert_int_equal(a.n_tokens, 1);
	assert_string_equal(hdfs_access_token(&a, "ns1"), "other");
	hdfs_access_deinit(&a);
	assert_string_equal(hdfs_access_token(&copy, "ns1"), "HAAEYWxpY2U-_w==");
	assert_int_equal(copy.n_hosts, 2);
	hdfs_access_deinit(&copy);
}

static void what_is_wrong_is_said_without_the_token(void **state)
{
	struct hdfs_access a = { 0 };
	struct err err = { "" };
	(void)state;

	assert_int_equal(hdfs_access_add_token(&a, "ns1", "se cret", &err), -EINVAL);
	assert_non_null(strstr(err.text, "ns1"));
	assert_null(strstr(err.text, "cret"));
	assert_int_equal(hdfs_access_add_token(&a, "ns1", "", &err), -EINVAL);
	assert_int_equal(hdfs_access_add_token(&a, "ns1", "a&op=DELETE", &err), -EINVAL);
	assert_int_equal(hdfs_access_set_user(&a, "", &err), -EINVAL);
	assert_int_equal(hdfs_access_set_user(&a, "a b", &err), -EINVAL);
	assert_int_equal(hdfs_access_set_user(&a, "a\nb", &err), -EINVAL);
	assert_int_equal(hdfs_access_set_ca(&a, "no certificate", &err), -EINVAL);
	assert_int_equal(hdfs_access_add_host(&a, "", "x", &err), -EINVAL);
	assert_int_equal(hdfs_access_add_host(&a, "x", "", &err), -EINVAL);
	assert_int_equal(hdfs_access_add_service(&a, "ns", "", false, &err), -EINVAL);
	assert_int_equal(hdfs_access_add_service(&a, "ns", "nn:99999", false, &err), -EINVAL);
	assert_int_equal(hdfs_access_add_service(&a, "ns", "nn/x", false, &err), -EINVAL);
	assert_int_equal(a.n_hosts + a.n_services + a.n_tokens, 0);
	hdfs_access_deinit(&a);
}

/* The first NameNode of a URL once it is resolved, as "host:port", with "s" before it over TLS. */
static void resolves_to(
	const struct hdfs_access *a, const char *url, const char *host, uint16_t port, bool tls)
{
	struct hdfs_url u;
	struct err err = { "" };

	assert_int_equal(hdfs_url_parse(url, &u, &err), 0);
	assert_int_equal(hdfs_access_resolve(a, &u, &err), 0);
	assert_string_equal(u.namenodes[0].host, host);
	assert_int_equal(u.namenodes[0].port, port);
	assert_int_equal(u.tls, tls);
	hdfs_url_deinit(&u);
}

static void names_of_services_become_their_namenodes(void **state)
{
	struct hdfs_access a = full();
	struct hdfs_url u;
	struct err err = { "" };
	(void)state;

	resolves_to(&a, "hdfs://Ns1/x", "nn1", 9870, false);
	resolves_to(&a, "swebhdfs://ns1/x", "nn1", 9871, true);
	resolves_to(&a, "hdfs://ns2/x", "nn3", HDFS_HTTP_PORT, false);
	resolves_to(&a, "hdfs://other:8020/x", "other", HDFS_HTTP_PORT, false);

	assert_int_equal(hdfs_url_parse("swebhdfs://ns2/x", &u, &err), 0);
	assert_int_equal(hdfs_access_resolve(&a, &u, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ns2"));
	hdfs_url_deinit(&u);

	assert_int_equal(hdfs_url_parse("hdfs:///x", &u, &err), 0);
	assert_int_equal(hdfs_access_resolve(&a, &u, &err), -EINVAL);
	assert_non_null(strstr(err.text, "fs.defaultFS"));
	hdfs_url_deinit(&u);
	assert_int_equal(hdfs_access_add_service(&a, "", "nn9", false, &err), 0);
	resolves_to(&a, "hdfs:///x", "nn9", HDFS_HTTP_PORT, false);
	hdfs_access_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_arrives),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(a_copy_is_its_own),
		cmocka_unit_test(what_is_wrong_is_said_without_the_token),
		cmocka_unit_test(names_of_services_become_their_namenodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
