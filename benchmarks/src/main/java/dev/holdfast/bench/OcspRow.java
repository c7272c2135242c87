package dev.holdfast.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPException;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/// OCSP answers, each for another certificate and on a connection of its own, beside OpenSSL's responder, which
/// knows no other way; and on connections that stay open.
final class OcspRow {
    private static final int AT_ONCE = 16;

    private OcspRow() {}

    static final class Question {
        private final int number;
        private final byte[] request;

        Question(int number, byte[] request) {
            this.number = number;
            this.request = request;
        }
    }

    static List<Row> measure(Bench bench, Fleet fleet, ServerProcess server) throws IOException {
        int count = bench.size(4_000, 40);
        Path work = bench.work().resolve("ocsp");
        int pki = server.port("PKI");
        try (Yardstick openssl = Yardstick.openSslOcsp(work, count)) {
            List<Question> ours = questions(
                    fleet.issuer(),
                    fleet.meters(Math.min(count, bench.size(4_000, 40))).stream()
                            .map(meter -> meter.certificate().getSerialNumber())
                            .toList(),
                    false);
            List<BigInteger> serials = new ArrayList<>();
            for (int serial = 1; serial <= count; serial++) {
                serials.add(BigInteger.valueOf(serial));
            }
            List<Question> theirs = questions(certificate(work.resolve("ca.pem")), serials, false);
            Bench.Cost single = bench.compare(
                    "ocsp",
                    server,
                    Duration.ZERO,
                    _ -> Load.each(ours, AT_ONCE, question -> alone(question, pki)),
                    new Bench.Beside(
                            openssl.process(),
                            _ -> Load.each(theirs, AT_ONCE, question -> alone(question, openssl.port()))));
            List<DeviceConnection> kept = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                kept.add(DeviceConnection.plain(i, pki));
            }
            Bench.Cost keptAlive = bench.compare(
                    "ocsp-kept",
                    server,
                    Duration.ZERO,
                    _ -> Load.each(kept, AT_ONCE, line -> {
                        for (int i = kept.indexOf(line); i < ours.size(); i += AT_ONCE) {
                            ask(line, ours.get(i));
                        }
                        return ours.size() / AT_ONCE;
                    }),
                    null);
            kept.forEach(DeviceConnection::close);
            return List.of(
                    Bench.row(
                            "ocsp",
                            "OCSP answer, new connection",
                            single,
                            "openssl ocsp",
                            java.util.Optional.empty(),
                            ours.size()),
                    Bench.row(
                            "ocsp",
                            "OCSP answer, connection kept alive",
                            keptAlive,
                            "",
                            Row.Promise.atMost(100, keptAlive.total()),
                            ours.size()));
        }
    }

    static int alone(Question question, int port) throws IOException {
        try (DeviceConnection connection = DeviceConnection.plain(question.number, port)) {
            return ask(connection, question);
        }
    }

    static int ask(DeviceConnection connection, Question question) throws IOException {
        connection.write(question.request);
        Load.expect(connection.response(), 200);
        return 1;
    }

    private static X509Certificate certificate(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /// @param nonce whether each asks for an answer of its own (RFC 9654)
    static List<Question> questions(X509Certificate issuer, List<BigInteger> serials, boolean nonce)
            throws IOException {
        try {
            var digests = new JcaDigestCalculatorProviderBuilder().build();
            var holder = new JcaX509CertificateHolder(issuer);
            List<Question> all = new ArrayList<>();
            for (BigInteger serial : serials) {
                OCSPReqBuilder builder = new OCSPReqBuilder()
                        .addRequest(new CertificateID(digests.get(CertificateID.HASH_SHA1), holder, serial));
                if (nonce) {
                    builder.setRequestExtensions(new Extensions(new Extension(
                            OCSPObjectIdentifiers.id_pkix_ocsp_nonce,
                            false,
                            new DEROctetString(new byte[32]).getEncoded())));
                }
                byte[] der = builder.build().getEncoded();
                ByteArrayOutputStream request = new ByteArrayOutputStream();
                request.writeBytes(("POST /ocsp HTTP/1.1\r\nHost: localhost\r\n"
                                + "Content-Type: application/ocsp-request\r\nContent-Length: " + der.length
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                request.writeBytes(der);
                all.add(new Question(all.size(), request.toByteArray()));
            }
            return all;
        } catch (OCSPException | OperatorCreationException | GeneralSecurityException e) {
            throw new IOException(e);
        }
    }
}
