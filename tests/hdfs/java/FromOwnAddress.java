import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.apache.hadoop.net.StandardSocketFactory;

/** Connections that come from the address -Dquern.address, so that a NameNode knows each DataNode of one machine by its own. */
public class FromOwnAddress extends StandardSocketFactory {
	@Override
	public Socket createSocket() throws IOException {
		Socket socket = super.createSocket();
		String address = System.getProperty("quern.address");
		if (address != null)
			socket.bind(new InetSocketAddress(address, 0));
		return socket;
	}
}
