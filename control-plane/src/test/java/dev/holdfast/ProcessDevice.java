package dev.holdfast;

import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLSocket;

/// A device that enrols itself by EST at a [ServerProcess], with one key and one token however often it must try.
final class ProcessDevice {
    private static final char[] NONE = {'x'};
    private final String id;
    private final String token;
    private final KeyPair key = Crypto.generateP256(new SecureRandom());
    private final String request;
    private List<X509Certificate> chain = List.of();

    ProcessDevice(ServerProcess server, String id) {
        this.id = id;
        this.token = server.ask("token " + id);
        this.request = Base64.getEncoder().encodeToString(CertificationRequest.create(id, key));
    }

    static ProcessDevice enrolled(ServerProcess server, String id) throws IOException {
        ProcessDevice device = new ProcessDevice(server, id);
        int status = device.enrol(server);
        if (status != 200) {
            throw new AssertionError(id + " was not enrolled: " + status);
        }
        return device;
    }

    String id() {
        return id;
    }

    /// @return the HTTP status; 200 when it has its certificate
    /// @throws IOException when there was no whole answer
    int enrol(ServerProcess server) throws IOException {
        String credential = Base64.getEncoder().encodeToString((id + ":" + token).getBytes(StandardCharsets.US_ASCII));
        try (SSLSocket socket = server.tls("device")) {
            socket.getOutputStream()
                    .write(("POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic "
                                    + credential + "\r\nContent-Type: application/pkcs10\r\nContent-Length: "
                                    + request.length() + "\r\nConnection: close\r\n\r\n" + request)
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            int body = answer.indexOf("\r\n\r\n");
            if (body < 0) {
                throw new IOException("no whole answer: " + answer);
            }
            int status = Integer.parseInt(answer.substring(9, 12));
            if (status == 200) {
                chain = CertificatesOnly.decode(Base64.getMimeDecoder().decode(answer.substring(body + 4)));
            }
            return status;
        } catch (X509FormatException e) {
            throw new IOException(e);
        }
    }

    /// Mutual TLS.
    SSLSocket connect(ServerProcess server, String listener) throws IOException {
        try {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            own.setKeyEntry("own", key.getPrivate(), NONE, chain.toArray(X509Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(own, NONE);
            return server.tls(listener, keys.getKeyManagers());
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }
}
