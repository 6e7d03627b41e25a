import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsShell;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;
import org.apache.hadoop.util.ToolRunner;

/**
 * A NameNode, a DataNode and a client in one JVM, which ends by itself: so that all of their classes are loaded, for an archive
 * of them (-XX:ArchiveClassesAtExit). Argument: a folder with name/, a NameNode's that has been formatted.
 */
public class Archive {
	private static void run(String folder) throws Exception {
		Configuration conf = new HdfsConfiguration();
		for (String key : new String[] { "dfs.namenode.http-address", "dfs.datanode.address", "dfs.datanode.http.address",
			     "dfs.datanode.ipc.address" })
			conf.set(key, "127.0.0.1:0");
		conf.set("fs.defaultFS", "hdfs://127.0.0.1:0");
		conf.set("dfs.namenode.name.dir", folder + "/name");
		conf.set("dfs.datanode.data.dir", folder + "/data");
		conf.set("dfs.datanode.du.reserved", "0");
		conf.set("dfs.replication", "1");
		DefaultMetricsSystem.setMiniClusterMode(true); // two servers in one JVM
		NameNode name = NameNode.createNameNode(new String[] {}, conf);
		String address = "127.0.0.1:" + name.getNameNodeAddress().getPort();
		conf.set("fs.defaultFS", "hdfs://" + address);
		conf.set("dfs.namenode.rpc-address", address);
		DataNode.createDataNode(new String[] {}, conf);
		while (name.getNamesystem().getNumLiveDataNodes() == 0 || name.isInSafeMode())
			Thread.sleep(10);

		Path path = new Path("webhdfs://127.0.0.1:" + name.getHttpAddress().getPort() + "/x");
		FileSystem fs = path.getFileSystem(conf);
		try (OutputStream out = fs.create(path)) {
			out.write('\n');
		}
		fs.open(path).read();
		for (String command : new String[] { "-mkdir /a", "-cp /x /a", "-cat /a/x", "-ls /a" }) {
			int status = ToolRunner.run(new FsShell(conf), command.split(" "));
			if (status != 0)
				throw new Exception(command + ": status " + status);
		}
	}

	public static void main(String[] args) {
		int status = 1;
		try {
			run(args[0]);
			status = 0;
		} catch (Throwable e) {
			e.printStackTrace();
		}
		System.exit(status);
	}
}
