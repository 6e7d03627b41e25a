"""What a secure HDFS needs beside Hadoop: certificates, and Kerberos.

    with Kdc() as kdc, Hadoop(**kerberos(kdc)) as hdfs: ...
    with tempfile.TemporaryDirectory() as folder: Hadoop(**tls(folder)) ...

The KDC is MIT's (Debian: krb5-kdc, krb5-admin-server, krb5-user), on a loopback port, with its files in a temporary
folder and without privileges: nothing of the machine's own Kerberos is looked at."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import hadoop
from ports import free_port  # hadoop knows where that is

REALM = "QUERN.TEST"
PASSWORD = "quern-test"
SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def run(*command, **more):
    r = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, **more)
    assert r.returncode == 0, f"{command}: {r.stdout}"
    return r.stdout


# ---- TLS ----

class Certificates:
    """An authority (.ca, PEM), and a server's certificate by it for the names in `hosts`, as a keystore of Java's."""

    def __init__(self, folder, hosts):
        self.dir = pathlib.Path(folder)
        self.ca, self.store = self.dir / "ca.pem", self.dir / "server.p12"
        names = ",".join(f"IP:{h}" if h[0].isdigit() else f"DNS:{h}" for h in hosts)
        (self.dir / "server.ext").write_text(f"subjectAltName={names}\n")
        self._ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=quern test authority",
                  "-keyout", "ca.key", "-out", "ca.pem")
        self._ssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=quern test", "-keyout", "server.key", "-out", "server.csr")
        self._ssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                  "-extfile", "server.ext", "-out", "server.pem")
        self._ssl("pkcs12", "-export", "-in", "server.pem", "-inkey", "server.key", "-name", "server", "-out", "server.p12",
                  "-passout", f"pass:{PASSWORD}")

    def _ssl(self, *args):
        run("openssl", *args, cwd=self.dir)

    def server_properties(self):
        """Of ssl-server.xml."""
        return {"ssl.server.keystore.location": self.store, "ssl.server.keystore.type": "pkcs12",
                "ssl.server.keystore.password": PASSWORD, "ssl.server.keystore.keypassword": PASSWORD}


class TlsHadoop(hadoop.Hadoop):
    """A cluster that is reached over TLS as well, at .tls_url."""

    def __init__(self, certificates, **more):
        port = free_port()
        self.certificates, self.tls_url = certificates, f"swebhdfs://127.0.0.1:{port}"
        conf = {"dfs.http.policy": "HTTP_AND_HTTPS", "dfs.namenode.https-address": f"127.0.0.1:{port}", **more.pop("conf", {})}
        super().__init__(conf=conf, datanode_conf=lambda i: {"dfs.datanode.https.address": f"{self.address(i)}:0"}, **more)

    def _configure(self):
        super()._configure()
        (self.conf_dir / "ssl-server.xml").write_text(hadoop.xml(self.certificates.server_properties()))


# ---- Kerberos ----

def no_kerberos():
    """Why there can be no KDC here; None: there can."""
    for program, package in ("krb5kdc", "krb5-kdc"), ("kdb5_util", "krb5-kdc"), ("kadmin.local", "krb5-admin-server"), ("kinit", "krb5-user"):
        if shutil.which(program, path=SBIN) is None:
            return f"no {program} ({package} is needed)"
    return None


class Kdc:
    """.env: of those who are to use it. keytab() makes principals of services, user() a cache of a user's tickets."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="quern-kdc-")
        self.dir = pathlib.Path(self._folder.name)
        port = free_port()
        self.conf = self.dir / "krb5.conf"
        self.conf.write_text(f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_realm = false
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
 permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {REALM}
 .quern.test = {REALM}
[logging]
 kdc = FILE:{self.dir}/kdc.log
 default = FILE:{self.dir}/krb5.log
""")
        (self.dir / "kdc.conf").write_text(f"""[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {REALM} = {{
  database_name = {self.dir}/principal
  key_stash_file = {self.dir}/stash
  acl_file = {self.dir}/kadm5.acl
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
 }}
""")
        self.env = {"KRB5_CONFIG": str(self.conf), "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf"), "PATH": SBIN}
        self._run("kdb5_util", "create", "-s", "-r", REALM, "-P", PASSWORD)
        self.kdc = subprocess.Popen(["krb5kdc", "-n", "-P", self.dir / "pid"], env=dict(os.environ, **self.env),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, preexec_fn=hadoop.die_with_parent)
        while not hadoop.answers(f"127.0.0.1:{port}"):
            assert self.kdc.poll() is None, (self.dir / "kdc.log").read_text()
        return self

    def __exit__(self, *why):
        self.kdc.kill()
        self.kdc.wait()
        self._folder.cleanup()

    def _run(self, *command):
        return run(*command, env=dict(os.environ, **self.env))

    def keytab(self, name, *principals):
        """A file with the keys of new principals."""
        path = self.dir / f"{name}.keytab"
        for p in principals:
            self._run("kadmin.local", "-r", REALM, "-q", f"addprinc -randkey {p}@{REALM}")
            self._run("kadmin.local", "-r", REALM, "-q", f"ktadd -k {path} {p}@{REALM}")
        return path

    def user(self, name):
        """Of a new user, who has logged in: the environment to be them in."""
        cache = f"FILE:{self.dir}/tickets-{name}"
        self._run("kinit", "-c", cache, "-k", "-t", self.keytab(name, name), f"{name}@{REALM}")
        return {**self.env, "KRB5CCNAME": cache}


class KerberosHadoop(hadoop.Hadoop):
    """A cluster that believes nobody but the KDC. Its URL says "localhost": the name in the NameNode's principal."""

    def __init__(self, kdc, **more):
        self.kdc = kdc
        # A client binds to the host of its own principal where that is one of this machine: not so a DataNode's.
        services = kdc.keytab("services", "hdfs/localhost", "HTTP/localhost",
                              *(f"hdfs/{self.host(i)}" for i in range(1, more.get("datanodes", 3) + 1)))
        conf = {"hadoop.security.authentication": "kerberos", "dfs.block.access.token.enable": "true",
                "dfs.namenode.kerberos.principal": f"hdfs/localhost@{REALM}", "dfs.namenode.keytab.file": services,
                "dfs.datanode.keytab.file": services,
                "hadoop.http.authentication.type": "kerberos",
                "hadoop.http.authentication.kerberos.principal": f"HTTP/localhost@{REALM}",
                "hadoop.http.authentication.kerberos.keytab": services, **more.pop("conf", {})}
        super().__init__(conf=conf, datanode_conf=lambda i: {
            "ignore.secure.ports.for.testing": "true",
            "dfs.datanode.kerberos.principal": f"hdfs/{self.host(i)}@{REALM}"}, **more)

    def __enter__(self):
        # Java does not look at KRB5_CONFIG. Hadoop's own client is the superuser.
        env = {**self.kdc.user("hdfs"), "JDK_JAVA_OPTIONS": f"-Djava.security.krb5.conf={self.kdc.conf}"}
        before = {k: os.environ.get(k) for k in env}
        os.environ.update(env)
        try:
            super().__enter__()
        finally:
            for k, v in before.items():
                os.environ.pop(k) if v is None else os.environ.update({k: v})
        self.url = self.url.replace("127.0.0.1", "localhost")
        return self

    def wait_ready(self):
        """Its pages are for those who have tickets."""
        def ready():
            report = self.tool("dfsadmin", "-report", check=False).out
            return f"Live datanodes ({len(self.datanodes)})" in report and "Safe mode is ON" not in report
        self.wait_for("the NameNode to be ready", lambda: hadoop.answers(self.rpc[0]))
        self.wait_for("DataNodes to be there", ready)
