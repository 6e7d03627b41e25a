import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.PrivilegedExceptionAction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsShell;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.tools.DFSAdmin;
import org.apache.hadoop.hdfs.tools.DFSHAAdmin;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.util.Tool;
import org.apache.hadoop.util.ToolRunner;

/**
 * Hadoop's own commands, one after the other in one JVM, as its start takes longer than most of them. A request is a
 * number of strings: the user ("": the login's), the tool, its arguments. The answer: status, standard output, standard
 * error. Numbers have 4 bytes, big-endian; a string is its length and its bytes.
 */
public class Shell {
	private static Tool tool(String name, Configuration conf) {
		switch (name) {
		case "fs":
			return new FsShell(conf);
		case "dfsadmin":
			return new DFSAdmin(conf);
		case "haadmin":
			return new DFSHAAdmin();
		default:
			throw new IllegalArgumentException(name);
		}
	}

	private static int run(String user, String name, String[] args) throws Exception {
		Configuration conf = new HdfsConfiguration();
		conf.setInt("ipc.client.connection.maxidletime", 0); // whom it spoke to may have been killed since
		PrivilegedExceptionAction<Integer> action = () -> ToolRunner.run(conf, tool(name, conf), args);
		UserGroupInformation who =
			user.isEmpty() ? UserGroupInformation.getLoginUser() : UserGroupInformation.createRemoteUser(user);
		try {
			return who.doAs(action);
		} finally {
			FileSystem.closeAllForUGI(who); // the next one may come with other -D
		}
	}

	private static String string(DataInputStream in) throws IOException {
		return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
	}

	private static void string(DataOutputStream out, ByteArrayOutputStream bytes) throws IOException {
		out.writeInt(bytes.size());
		bytes.writeTo(out);
	}

	public static void main(String[] none) throws Exception {
		DataInputStream in = new DataInputStream(System.in);
		DataOutputStream answers = new DataOutputStream(new FileOutputStream(FileDescriptor.out));
		for (;;) {
			int n;
			try {
				n = in.readInt();
			} catch (EOFException e) {
				System.exit(0);
				return;
			}
			String user = string(in), name = string(in);
			String[] args = new String[n - 2];
			for (int i = 0; i < args.length; i++)
				args[i] = string(in);
			ByteArrayOutputStream out = new ByteArrayOutputStream(), err = new ByteArrayOutputStream();
			System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
			System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
			int status = 255;
			try {
				status = run(user, name, args);
			} catch (Exception e) {
				e.printStackTrace();
			}
			System.out.flush();
			System.err.flush();
			ByteArrayOutputStream answer = new ByteArrayOutputStream();
			DataOutputStream to = new DataOutputStream(answer);
			to.writeInt(status);
			string(to, out);
			string(to, err);
			answer.writeTo(answers);
			answers.flush();
		}
	}
}
