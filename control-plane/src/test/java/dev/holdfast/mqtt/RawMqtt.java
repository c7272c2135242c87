package dev.holdfast.mqtt;

import dev.holdfast.TestServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// MQTT by hand over mutual TLS, for what no well-behaved client sends.
public final class RawMqtt implements AutoCloseable {
    private static final int PATIENCE = 20_000;
    private final SSLSocket socket;
    private final InputStream in;
    private final OutputStream out;

    /// On a connection whose handshake is done.
    public RawMqtt(SSLSocket socket) throws IOException {
        this.socket = socket;
        in = socket.getInputStream();
        out = socket.getOutputStream();
    }

    RawMqtt(TestServer server, EnrolledDevice device) {
        this(server, device, server.server().mqttPort());
    }

    RawMqtt(TestServer server, EnrolledDevice device, int port) {
        try {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry(
                    "device",
                    device.key().getPrivate(),
                    new char[0],
                    device.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            managers.init(keys, new char[0]);
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry(
                    "root", server.server().ca().authorities().root().certificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(managers.getKeyManagers(), trust.getTrustManagers(), null);
            Socket plain = new Socket();
            plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE);
            socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, "localhost", port, true);
            socket.setSoTimeout(PATIENCE);
            socket.startHandshake();
            in = socket.getInputStream();
            out = socket.getOutputStream();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// One packet as it came: its first octet and its body.
    public static final class Packet {
        private final int first;
        private final byte[] body;

        Packet(int first, byte[] body) {
            this.first = first;
            this.body = body;
        }

        public byte[] body() {
            return body;
        }

        public int type() {
            return first >> 4;
        }
    }

    /// CONNECT of version 4 or 5, clean, without will.
    public static byte[] connect(int version, String clientId, int keepAlive) {
        return connect(version, clientId, keepAlive, 2, new byte[0]);
    }

    static byte[] connect(int version, String clientId, int keepAlive, int flags, byte[] afterClientId) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        text(body, "MQTT");
        body.write(version);
        body.write(flags);
        body.write(keepAlive >> 8);
        body.write(keepAlive);
        if (version == 5) {
            body.write(0);
        }
        text(body, clientId);
        body.writeBytes(afterClientId);
        return packet(0x10, body.toByteArray());
    }

    public static byte[] publish(int version, String topic, int qos, int packetId, byte[] payload) {
        return publish(version, topic, qos << 1, qos, packetId, payload);
    }

    static byte[] publish(int version, String topic, int flags, int qos, int packetId, byte[] payload) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        text(body, topic);
        if (qos > 0) {
            body.write(packetId >> 8);
            body.write(packetId);
        }
        if (version == 5) {
            body.write(0);
        }
        body.writeBytes(payload);
        return packet(0x30 | flags, body.toByteArray());
    }

    public static byte[] publish(int version, String topic, int packetId, String payload) {
        return publish(version, topic, 1, packetId, payload.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] subscribe(int version, int packetId, String filter) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(packetId >> 8);
        body.write(packetId);
        if (version == 5) {
            body.write(0);
        }
        text(body, filter);
        body.write(1);
        return packet(0x82, body.toByteArray());
    }

    public static byte[] packet(int first, byte[] body) {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.write(first);
        int length = body.length;
        do {
            packet.write((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
            length >>= 7;
        } while (length > 0);
        packet.writeBytes(body);
        return packet.toByteArray();
    }

    static void text(ByteArrayOutputStream to, String text) {
        byte[] octets = text.getBytes(StandardCharsets.UTF_8);
        to.write(octets.length >> 8);
        to.write(octets.length);
        to.writeBytes(octets);
    }

    public RawMqtt send(byte[] octets) {
        try {
            out.write(octets);
            out.flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Sends what the server may no longer want; whether it arrives does not matter.
    public RawMqtt trySend(byte[] octets) {
        try {
            out.write(octets);
            out.flush();
        } catch (IOException ended) {
            // the server has closed already
        }
        return this;
    }

    /// Connects and expects to be let in.
    public RawMqtt enter(int version, String clientId) {
        send(connect(version, clientId, 60));
        Packet answer = read();
        if (answer.type() != 2 || answer.body()[1] != 0) {
            throw new AssertionError("not let in: " + java.util.HexFormat.of().formatHex(answer.body()));
        }
        return this;
    }

    /// The next packet.
    public Packet read() {
        try {
            int first = in.read();
            if (first < 0) {
                throw new AssertionError("the server closed");
            }
            int length = 0;
            for (int shift = 0; ; shift += 7) {
                int octet = in.read();
                length |= (octet & 0x7f) << shift;
                if (octet < 0x80) {
                    break;
                }
            }
            return new Packet(first, in.readNBytes(length));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The reason code of a DISCONNECT (MQTT 5) that must come, whatever comes before it.
    public int awaitDisconnect() {
        while (true) {
            Packet packet = read();
            if (packet.type() == 14) {
                return packet.body()[0] & 0xff;
            }
        }
    }

    /// Reads until the server closes.
    public void awaitClose() {
        try {
            while (in.read() >= 0) {
                // whatever it still says
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("the server did not close", e);
        } catch (IOException reset) {
            // closed, if not politely
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // gone already
        }
    }
}
