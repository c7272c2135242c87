package dev.holdfast.est;

import dev.holdfast.TestServer;
import dev.holdfast.protocol.est.ChannelBinding;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// An EST client on one TLS connection, which it can ask for its exported keying material.
final class TlsCaller implements AutoCloseable {
    private final SSLSocket socket;
    private final String host;

    /// One answer.
    record Answer(int status, String body) {}

    private TlsCaller(TestServer server, int port, Optional<EstCaller.Caller> caller) throws IOException {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "root", server.server().ca().authorities().root().certificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    caller.map(c -> new KeyManager[] {new OneKey(c.key(), c.chain())})
                            .orElse(new KeyManager[0]),
                    trust.getTrustManagers(),
                    EstCaller.RANDOM);
            socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port);
            socket.setSoTimeout(30_000);
            host = "localhost:" + port;
            socket.startHandshake();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static TlsCaller bound(TestServer server, Optional<EstCaller.Caller> caller) throws IOException {
        return new TlsCaller(server, server.server().channelBoundPort(), caller);
    }

    static TlsCaller plain(TestServer server, Optional<EstCaller.Caller> caller) throws IOException {
        return new TlsCaller(server, server.server().devicePort(), caller);
    }

    /// RFC 9266.
    byte[] exported() throws IOException {
        return ((ExtendedSSLSession) socket.getSession())
                .exportKeyingMaterialData(ChannelBinding.LABEL, new byte[0], ChannelBinding.OCTETS);
    }

    Answer get(String operation) throws IOException {
        return exchange("GET /.well-known/est/" + operation + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", new byte[0]);
    }

    Answer post(String operation, byte[] request, String credential) throws IOException {
        byte[] body = Base64.getEncoder().encode(request);
        String authorization = credential.isEmpty()
                ? ""
                : "Authorization: Basic "
                        + Base64.getEncoder().encodeToString(credential.getBytes(StandardCharsets.UTF_8)) + "\r\n";
        return exchange(
                "POST /.well-known/est/" + operation + " HTTP/1.1\r\nHost: " + host + "\r\n" + authorization
                        + "Content-Type: application/pkcs10\r\nContent-Length: " + body.length + "\r\n\r\n",
                body);
    }

    private Answer exchange(String head, byte[] body) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(head.getBytes(StandardCharsets.US_ASCII));
        all.write(body);
        socket.getOutputStream().write(all.toByteArray());
        socket.getOutputStream().flush();
        InputStream in = socket.getInputStream();
        int status = Integer.parseInt(line(in).split(" ", -1)[1]);
        int length = 0;
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(header.substring(15).strip());
            }
        }
        return new Answer(status, new String(in.readNBytes(length), StandardCharsets.UTF_8));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new IOException("the connection ended");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
