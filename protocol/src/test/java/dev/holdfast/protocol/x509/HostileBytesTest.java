package dev.holdfast.protocol.x509;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.est.EstBody;
import dev.holdfast.protocol.est.EstFormatException;
import dev.holdfast.protocol.ocsp.OcspFormatException;
import dev.holdfast.protocol.ocsp.OcspRequest;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.OCSPRequest;
import org.bouncycastle.asn1.ocsp.Request;
import org.bouncycastle.asn1.ocsp.TBSRequest;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extensions;
import org.junit.jupiter.api.Test;

/// Whatever bytes come, a parser answers with a value or with its one checked exception: seeded changes of good
/// messages, which reach deeper than noise does. The seed is in each failure's text.
class HostileBytesTest {
    private static final int ROUNDS = 3_000;

    /// A parser with its one way to fail taken away.
    @FunctionalInterface
    private interface Parser {
        void parse(byte[] bytes);
    }

    private static void fuzz(String what, byte[] good, Parser parser) {
        long seed = new SecureRandom().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = changed(good, random);
            try {
                parser.parse(bytes);
            } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
                throw new AssertionError(
                        what + ", seed " + seed + ", round " + round + ": "
                                + Base64.getEncoder().encodeToString(bytes),
                        e);
            }
        }
    }

    private static byte[] changed(byte[] good, Random random) {
        byte[] bytes = switch (random.nextInt(4)) {
            case 0 -> Arrays.copyOf(good, random.nextInt(good.length + 1));
            case 1 -> Arrays.copyOf(good, good.length + random.nextInt(20));
            default -> good.clone();
        };
        int changes = random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 0; i++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        return bytes;
    }

    private static byte[] request() {
        return CertificationRequest.create("fuzz-1", Crypto.generateP256(new SecureRandom()));
    }

    @Test
    void certificationRequests() {
        fuzz("PKCS #10", request(), bytes -> {
            try {
                assertThat(CertificationRequest.verify(bytes).keyKind()).isNotNull();
            } catch (CertificationRequestException expected) {
                assertThat(expected.reason()).isNotNull();
            }
        });
    }

    @Test
    void onlyTheUnchangedRequestIsTaken() throws Exception {
        byte[] good = request();
        assertThat(CertificationRequest.verify(good).commonName()).contains("fuzz-1");
        for (int i = 0; i < good.length; i++) {
            byte[] bytes = good.clone();
            bytes[i] ^= 0x01;
            try {
                CertificationRequest.verify(bytes);
                throw new AssertionError("octet " + i + " changed and still taken");
            } catch (CertificationRequestException expected) {
                assertThat(expected.reason()).isNotNull();
            }
        }
    }

    @Test
    void certificatesOnlyMessages() {
        fuzz("certs-only", CertificatesOnly.encode(java.util.List.of()), bytes -> {
            try {
                CertificatesOnly.decode(bytes);
            } catch (X509FormatException expected) {
                assertThat(expected).hasMessageContaining(" ");
            }
        });
    }

    @Test
    void ocspRequests() throws Exception {
        CertID id = new CertID(
                new AlgorithmIdentifier(org.bouncycastle.asn1.oiw.OIWObjectIdentifiers.idSHA1),
                new DEROctetString(new byte[20]),
                new DEROctetString(new byte[20]),
                new org.bouncycastle.asn1.ASN1Integer(77));
        byte[] good = new OCSPRequest(
                        new TBSRequest(null, new DERSequence(new Request(id, null)), (Extensions) null), null)
                .getEncoded();
        assertThat(OcspRequest.parse(good).certificates()).hasSize(1);
        fuzz("OCSP", good, bytes -> {
            try {
                OcspRequest.parse(bytes);
            } catch (OcspFormatException expected) {
                assertThat(expected).hasMessageContaining(" ");
            }
        });
    }

    @Test
    void estBodiesAndPem() throws Exception {
        byte[] der = request();
        assertThat(EstBody.decode(EstBody.encode(der))).isEqualTo(der);
        assertThat(EstBody.decode(Base64.getMimeEncoder().encode(der))).isEqualTo(der);
        assertThat(new CsrAttributes(java.util.Set.of(KeyKind.EC_P256), false, false).encode())
                .isNotEmpty();
        fuzz("EST body", EstBody.encode(der), bytes -> {
            try {
                EstBody.decode(bytes);
            } catch (EstFormatException expected) {
                assertThat(expected).hasMessageContaining(" ");
            }
        });
        fuzz("PEM", Pem.encode("X", der).getBytes(StandardCharsets.US_ASCII), bytes -> {
            try {
                Pem.decode("X", new String(bytes, StandardCharsets.ISO_8859_1));
            } catch (X509FormatException expected) {
                assertThat(expected).hasMessageContaining(" ");
            }
        });
    }
}
