package dev.holdfast.bench;

import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// A registered device that has no certificate yet; its key and request are made before anything is measured.
///
/// @param request base64 of the PKCS #10
record Newcomer(String id, int number, String token, String request) {
    static Newcomer parse(String line, int number) {
        String[] parts = line.split("\t", -1);
        return new Newcomer(
                parts[0],
                number,
                parts[1],
                Base64.getEncoder().encodeToString(CertificationRequest.create(parts[0], FleetMain.newKey())));
    }

    /// Enrols by EST over a connection of its own (RFC 7030 section 4.2).
    int enrol(Fleet fleet, int port) throws IOException {
        String credential = Base64.getEncoder().encodeToString((id + ":" + token).getBytes(StandardCharsets.US_ASCII));
        try (DeviceConnection connection = DeviceConnection.anonymous(fleet, number, port)) {
            connection.write(("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic "
                            + credential + "\r\nContent-Type: application/pkcs10\r\nContent-Length: " + request.length()
                            + "\r\n\r\n" + request)
                    .getBytes(StandardCharsets.US_ASCII));
            Load.expect(connection.response(), 200);
            return 1;
        }
    }
}
