package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.protocol.est.EstFormatException;
import dev.holdfast.protocol.inspect.Inspection;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.ServerKeyRequest;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.x509.KeyPurposeId;

/// EST's bodies, requests, certificates and what is around them.
final class RequestTargets {
    private static final byte[] REQUEST = StoredSeeds.of(
                    "request", () -> List.of(CertificationRequest.create("fuzz-1", Seeds.p256())))
            .getFirst();
    private static final byte[] CERTIFICATE = StoredSeeds.of(
                    "certificate",
                    () -> List.of(Certificates.der(
                            Seeds.certificate(Seeds.p256(), "fuzz-1", KeyPurposeId.id_kp_clientAuth, false))))
            .getFirst();

    private RequestTargets() {}

    static List<FuzzTarget> all() {
        return List.of(
                new FuzzTarget(
                        "est-body",
                        2_000,
                        RequestTargets::body,
                        List.of(
                                EstBody.encode(REQUEST),
                                Base64.getMimeEncoder().encode(REQUEST),
                                Base64.getEncoder().encode(REQUEST))),
                new FuzzTarget(
                        "pkcs10",
                        1_500,
                        RequestTargets::request,
                        StoredSeeds.of(
                                "pkcs10",
                                () -> List.of(
                                        REQUEST,
                                        CertificationRequest.create(
                                                "fuzz-2", Crypto.generate(KeyKind.EC_P384, Seeds.RANDOM)),
                                        CertificationRequest.create(
                                                "fuzz-3", Crypto.generate(KeyKind.ED25519, Seeds.RANDOM)),
                                        CertificationRequest.create("fuzz-4", Seeds.rsa(3_072))))),
                new FuzzTarget("server-key-request", 1_500, RequestTargets::serverKey, List.of(REQUEST)),
                new FuzzTarget(
                        "certificates-only",
                        1_500,
                        RequestTargets::certificates,
                        List.of(
                                CertificatesOnly.encode(List.of(read(CERTIFICATE))),
                                CertificatesOnly.encode(List.of(read(CERTIFICATE), read(CERTIFICATE))))),
                new FuzzTarget("certificate", 1_500, RequestTargets::certificate, List.of(CERTIFICATE)),
                new FuzzTarget(
                        "pem",
                        2_000,
                        RequestTargets::pem,
                        List.of(Seeds.text(Pem.encode(Pem.CERTIFICATE, CERTIFICATE)))),
                new FuzzTarget(
                        "inspection",
                        1_000,
                        RequestTargets::inspection,
                        List.of(
                                CERTIFICATE,
                                REQUEST,
                                CertificatesOnly.encode(List.of(read(CERTIFICATE))),
                                Seeds.text(Certificates.pem(read(CERTIFICATE))),
                                StoredSeeds.of("crl", () -> List.of(RevocationTargets.list()))
                                        .getFirst())));
    }

    static X509Certificate read(byte[] der) {
        try {
            return Certificates.parse(der);
        } catch (X509FormatException e) {
            throw new IllegalStateException("a stored certificate that can't be read", e);
        }
    }

    private static boolean body(byte[] input) throws EstFormatException {
        byte[] der;
        try {
            der = EstBody.decode(input);
        } catch (EstFormatException expected) {
            return false;
        }
        Seeds.require(Arrays.equals(EstBody.decode(EstBody.encode(der)), der), "decode(encode(x)) = x");
        return true;
    }

    private static boolean request(byte[] input) {
        try {
            CertificationRequest read = CertificationRequest.verify(input);
            Seeds.requireDer(input);
            Seeds.require(Arrays.equals(read.der(), input), "the request is the octets that came");
            return true;
        } catch (CertificationRequestException expected) {
            return false;
        }
    }

    private static boolean serverKey(byte[] input) {
        try {
            ServerKeyRequest read = ServerKeyRequest.read(input);
            Seeds.requireDer(input);
            read.kind();
            return true;
        } catch (CertificationRequestException expected) {
            return false;
        }
    }

    private static boolean certificates(byte[] input) throws X509FormatException {
        List<X509Certificate> read;
        try {
            read = CertificatesOnly.decode(input);
        } catch (X509FormatException expected) {
            return false;
        }
        Seeds.require(CertificatesOnly.decode(CertificatesOnly.encode(read)).equals(read), "decode(encode(x)) = x");
        return true;
    }

    private static boolean certificate(byte[] input) {
        try {
            X509Certificate read = Certificates.parse(input);
            Seeds.require(Arrays.equals(Certificates.der(read), input), "the certificate is the octets that came");
            Seeds.requireDerButForSets(input);
            Certificates.commonName(read);
            Certificates.productSerial(read);
            return true;
        } catch (X509FormatException expected) {
            return false;
        }
    }

    private static boolean pem(byte[] input) {
        try {
            for (byte[] der : Pem.decode(Pem.CERTIFICATE, Seeds.text(input))) {
                List<byte[]> again = Pem.decode(Pem.CERTIFICATE, Pem.encode(Pem.CERTIFICATE, der));
                Seeds.require(again.size() == 1 && Arrays.equals(again.getFirst(), der), "decode(encode(x)) = x");
            }
            return true;
        } catch (X509FormatException expected) {
            return false;
        }
    }

    private static boolean inspection(byte[] input) {
        try {
            return !Inspection.read(input, Seeds.NOW).isEmpty();
        } catch (X509FormatException expected) {
            return false;
        }
    }
}
