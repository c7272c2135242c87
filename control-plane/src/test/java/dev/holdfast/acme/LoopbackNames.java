package dev.holdfast.acme;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// A DNS server on loopback that knows what a test tells it: addresses of names, and TXT records.
final class LoopbackNames implements AutoCloseable {
    private static final int A = 1;
    private static final int TXT = 16;
    private final DatagramSocket socket;
    final Map<String, String> addresses = new ConcurrentHashMap<>();
    final Map<String, Set<String>> texts = new ConcurrentHashMap<>();

    LoopbackNames() {
        try {
            socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofPlatform().daemon().name("loopback-dns").start(this::serve);
    }

    String hostAndPort() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    private void serve() {
        byte[] buffer = new byte[1500];
        while (!socket.isClosed()) {
            try {
                DatagramPacket in = new DatagramPacket(buffer, buffer.length);
                socket.receive(in);
                byte[] answer = answer(Arrays.copyOf(in.getData(), in.getLength()));
                socket.send(new DatagramPacket(answer, answer.length, in.getSocketAddress()));
            } catch (IOException closed) {
                // the test is over
            }
        }
    }

    /// RFC 1035 section 4: the question again, and what is known.
    private byte[] answer(byte[] query) throws IOException {
        int end = 12;
        StringBuilder name = new StringBuilder();
        while (query[end] != 0) {
            name.append(name.isEmpty() ? "" : ".")
                    .append(new String(query, end + 1, query[end], StandardCharsets.US_ASCII));
            end += query[end] + 1;
        }
        int type = ByteBuffer.wrap(query, end + 1, 2).getShort();
        String wanted = name.toString().toLowerCase(Locale.ROOT);
        byte[][] data = type == A && addresses.containsKey(wanted)
                ? new byte[][] {InetAddress.ofLiteral(addresses.get(wanted)).getAddress()}
                : type == TXT
                        ? texts.getOrDefault(wanted, Set.of()).stream()
                                .map(LoopbackNames::characters)
                                .toArray(byte[][]::new)
                        : new byte[0][];
        boolean known = addresses.containsKey(wanted) || texts.containsKey(wanted);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(query, 0, 2);
        out.writeShort(known ? 0x8580 : 0x8583);
        out.writeShort(1);
        out.writeShort(data.length);
        out.writeInt(0);
        out.write(query, 12, end + 5 - 12);
        for (byte[] one : data) {
            out.writeShort(0xc00c);
            out.writeShort(type);
            out.writeShort(1);
            out.writeInt(1);
            out.writeShort(one.length);
            out.write(one);
        }
        return bytes.toByteArray();
    }

    private static byte[] characters(String text) {
        return ByteBuffer.allocate(1 + text.length())
                .put((byte) text.length())
                .put(text.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    @Override
    public void close() {
        socket.close();
    }
}
