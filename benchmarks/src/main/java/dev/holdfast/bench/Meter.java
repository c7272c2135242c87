package dev.holdfast.bench;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/// A device with its own key and certificate, as light as it can be.
///
/// @param number gives it its source address
record Meter(String id, int number, PrivateKey key, X509Certificate certificate) {

    static Meter parse(String line, int number) throws GeneralSecurityException {
        String[] parts = line.split("\t", -1);
        PrivateKey key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(parts[1])));
        X509Certificate leaf = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(
                        new ByteArrayInputStream(Base64.getDecoder().decode(parts[2])));
        return new Meter(parts[0], number, key, leaf);
    }

    /// Connects by MQTT 3.1.1 over mutual TLS and reads the acknowledgement.
    DeviceConnection mqtt(Fleet fleet, int port) throws IOException {
        DeviceConnection connection = DeviceConnection.mutual(fleet, this, port);
        byte[] name = id.getBytes(StandardCharsets.US_ASCII);
        byte[] packet = new byte[14 + name.length];
        byte[] head = {
            0x10, (byte) (12 + name.length), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0x0e, 0x10, 0, (byte) name.length
        };
        System.arraycopy(head, 0, packet, 0, 14);
        System.arraycopy(name, 0, packet, 14, name.length);
        connection.write(packet);
        byte[] answer = connection.read(4);
        if (answer[3] != 0) {
            throw new IOException(id + " was refused by MQTT: code " + answer[3]);
        }
        return connection;
    }

    /// Publishes with QoS 1 in windows, each acknowledged before the next.
    int publish(DeviceConnection connection, String topic, int messages, int window) throws IOException {
        for (int sent = 0; sent < messages; ) {
            int now = Math.min(window, messages - sent);
            ByteArrayOutputStream packets = new ByteArrayOutputStream();
            for (int i = 0; i < now; i++) {
                packets.writeBytes(packet(topic, "{\"kwh\":" + (sent + i) % 40 + ".5,\"v\":230.1}", i + 1));
            }
            connection.write(packets.toByteArray());
            byte[] answers = connection.read(4 * now);
            if (answers[0] != 0x40) {
                throw new IOException(id + " got something else than PUBACK");
            }
            sent += now;
        }
        return messages;
    }

    int measure(DeviceConnection connection, int messages, int window) throws IOException {
        return publish(connection, "d/" + id + "/telemetry", messages, window);
    }

    /// One measurement of so many values.
    int report(DeviceConnection connection, int values) throws IOException {
        StringBuilder payload = new StringBuilder("{");
        for (int i = 0; i < values; i++) {
            payload.append(i == 0 ? "" : ",")
                    .append("\"m")
                    .append(i)
                    .append("\":")
                    .append(i)
                    .append(".5");
        }
        connection.write(packet("d/" + id + "/telemetry", payload.append('}').toString(), 1));
        connection.read(4);
        return 1;
    }

    /// A QoS 1 PUBLISH of 3.1.1.
    private static byte[] packet(String topic, String payload, int packetId) {
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
}
