package dev.holdfast.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// A device as light as it can be: a key, a certificate, and blocking TLS sockets of the JDK. Only the server's CPU
/// is measured, so this side may be slow; it trusts any server, because what it talks to is on this machine.
final class Meter {
    private static final SecureRandom RANDOM = new SecureRandom();
    private final String id;
    private final @Nullable PrivateKey key;
    private final X509Certificate[] chain;

    private Meter(String id, @Nullable PrivateKey key, X509Certificate[] chain) {
        this.id = id;
        this.key = key;
        this.chain = chain;
    }

    /// One without a certificate.
    static Meter bare(String id) {
        return new Meter(id, null, new X509Certificate[0]);
    }

    static Meter parse(String line, X509Certificate issuer) throws GeneralSecurityException {
        String[] parts = line.split("\t", -1);
        PrivateKey key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(parts[1])));
        X509Certificate leaf = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(
                        new java.io.ByteArrayInputStream(Base64.getDecoder().decode(parts[2])));
        return new Meter(parts[0], key, new X509Certificate[] {leaf, issuer});
    }

    String id() {
        return id;
    }

    /// A connection with a full handshake: no session is kept, so none can be resumed.
    SSLSocket connect(int port) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(
                    key == null ? null : new KeyManager[] {new OneKey()}, new TrustManager[] {new Anybody()}, RANDOM);
            Socket plain = new Socket();
            plain.connect(new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), port), 20_000);
            plain.setTcpNoDelay(true);
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost", port, true);
            socket.setSoTimeout(30_000);
            socket.startHandshake();
            return socket;
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /// Connects by MQTT 3.1.1 and reads the acknowledgement.
    SSLSocket mqtt(int port) throws IOException {
        SSLSocket socket = connect(port);
        byte[] name = id.getBytes(StandardCharsets.US_ASCII);
        byte[] packet = new byte[14 + name.length];
        byte[] head = {
            0x10, (byte) (12 + name.length), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0x0e, 0x10, 0, (byte) name.length
        };
        System.arraycopy(head, 0, packet, 0, 14);
        System.arraycopy(name, 0, packet, 14, name.length);
        socket.getOutputStream().write(packet);
        byte[] answer = socket.getInputStream().readNBytes(4);
        if (answer.length < 4 || answer[3] != 0) {
            throw new IOException(id + " was refused by MQTT" + (answer.length < 4 ? "" : ": code " + answer[3]));
        }
        return socket;
    }

    /// A QoS 1 PUBLISH of 3.1.1.
    static byte[] publish(String topic, String payload, int packetId) {
        byte[] name = topic.getBytes(StandardCharsets.US_ASCII);
        byte[] body = payload.getBytes(StandardCharsets.US_ASCII);
        int length = 2 + name.length + 2 + body.length;
        if (length > 127) {
            throw new IllegalArgumentException("longer than one length octet");
        }
        byte[] packet = new byte[2 + length];
        packet[0] = 0x32;
        packet[1] = (byte) length;
        packet[3] = (byte) name.length;
        System.arraycopy(name, 0, packet, 4, name.length);
        packet[4 + name.length] = (byte) (packetId >> 8);
        packet[5 + name.length] = (byte) packetId;
        System.arraycopy(body, 0, packet, 6 + name.length, body.length);
        return packet;
    }

    /// Reads one HTTP/1.1 response with a Content-Length.
    ///
    /// @return its status
    static int readResponse(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            int c = in.read();
            if (c < 0 || head.length() > 16_000) {
                throw new IOException("no whole response: " + head);
            }
            head.append((char) c);
        }
        String text = head.toString().toLowerCase(java.util.Locale.ROOT);
        int at = text.indexOf("content-length:");
        if (at >= 0) {
            int length = Integer.parseInt(
                    text.substring(at + 15, text.indexOf('\r', at)).strip());
            in.readNBytes(length);
        }
        return Integer.parseInt(text.substring(9, 12));
    }

    private final class OneKey extends X509ExtendedKeyManager {
        @Override
        public String[] getClientAliases(String type, Principal @Nullable [] issuers) {
            return new String[] {"me"};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return "me";
        }

        @Override
        public String[] getServerAliases(String type, Principal @Nullable [] issuers) {
            return new String[0];
        }

        @Override
        public @Nullable String chooseServerAlias(
                String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return chain.clone();
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            return key;
        }
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] given, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] given, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
