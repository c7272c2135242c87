package dev.holdfast.protocol.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.cms.CertificatesOnly;
import dev.holdfast.protocol.inspect.Inspected.Fact;
import dev.holdfast.protocol.inspect.Inspected.Kind;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Random;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;

class InspectionTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final KeyPair CA = Crypto.generateP256(RANDOM);
    private static final X500Name CA_NAME = new X500Name("CN=Test CA,O=Holdfast");
    private static final KeyPair DEVICE = Crypto.generateP256(RANDOM);

    @Test
    void aCertificateIsSaidInPlainWords() throws Exception {
        X509Certificate ca = certificate(CA_NAME, CA, CA_NAME, CA, "SHA256withECDSA", true, Duration.ofDays(900));
        X509Certificate leaf =
                certificate(CA_NAME, CA, new X500Name("CN=m-1"), DEVICE, "SHA256withECDSA", false, Duration.ofDays(29));

        List<Inspected> found = Inspection.read(text(Certificates.pem(leaf) + Certificates.pem(ca)), NOW);

        assertThat(found).extracting(Inspected::kind).containsExactly(Kind.CERTIFICATE, Kind.CERTIFICATE);
        Inspected first = found.getFirst();
        assertThat(first.headline())
                .isEqualTo("The certificate of m-1, issued by Test CA: it is in time and ends in 29 days.");
        assertThat(first.faults()).isEmpty();
        assertThat(first.serial()).contains(leaf.getSerialNumber().toString(16));
        assertThat(fact(first, "Key")).isEqualTo("elliptic curve P-256");
        assertThat(fact(first, "Also known as")).isEqualTo("URI urn:holdfast:device:test:m-1");
        assertThat(fact(first, "Signature")).isEqualTo("right, by certificate 2 of this file");
        assertThat(fact(found.get(1), "Signature")).isEqualTo("right, by itself");
    }

    @Test
    void whatIsWrongIsNamed() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(1_024);
        KeyPair weak = rsa.generateKeyPair();
        X509Certificate bad = certificate(
                new X500Name("CN=Old CA"),
                weak,
                new X500Name("CN=m-2"),
                weak,
                "SHA1withRSA",
                false,
                Duration.ofDays(-3));

        List<String> faults =
                Inspection.read(Certificates.der(bad), NOW).getFirst().faults();

        assertThat(String.join("\n", faults)).contains("expired", "key is weak", "is broken");
        assertThat(Lint.faults(Inspection.read(Certificates.der(bad), NOW)).getFirst())
                .as("a lint is not about time")
                .noneMatch(fault -> fault.contains("expired"))
                .anyMatch(fault -> fault.contains("a key of a kind not accepted"));
    }

    @Test
    void aNameThatOnlyLooksLikeAnotherIsNamed() throws Exception {
        X500Name lookalike = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, "m\u0435ter-1")
                .build();
        X500Name hidden = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.CN, "meter\u200b-1")
                .build();
        for (X500Name name : List.of(lookalike, hidden)) {
            X509Certificate leaf = certificate(CA_NAME, CA, name, DEVICE, "SHA256withECDSA", false, Duration.ofDays(3));
            Inspected seen = Inspection.read(Certificates.der(leaf), NOW).getFirst();
            assertThat(seen.faults()).hasSize(1);
            assertThat(seen.headline()).isPrintable().doesNotContain("\u0435", "\u200b");
        }
    }

    @Test
    void aSignatureThatIsNotTheNamedIssuersIsAFault() throws Exception {
        KeyPair other = Crypto.generateP256(RANDOM);
        X509Certificate ca = certificate(CA_NAME, other, CA_NAME, other, "SHA256withECDSA", true, Duration.ofDays(9));
        X509Certificate leaf =
                certificate(CA_NAME, CA, new X500Name("CN=m-1"), DEVICE, "SHA256withECDSA", false, Duration.ofDays(29));

        Inspected seen = Inspection.read(Certificates.der(leaf), text(Certificates.pem(ca)), NOW)
                .getFirst();

        assertThat(seen.faults()).containsExactly("It names an issuer that is here and did not sign it.");
    }

    @Test
    void aRequestSaysWhetherEnrolmentWouldTakeIt() throws Exception {
        byte[] good = CertificationRequest.create("m-1", DEVICE);
        assertThat(Inspection.read(text(Base64.getMimeEncoder().encodeToString(good)), NOW)
                        .getFirst()
                        .headline())
                .isEqualTo("A request for a certificate for m-1, well formed and signed by its own key.");
        byte[] forged = good.clone();
        forged[forged.length - 1] ^= 1;
        Inspected seen = Inspection.read(forged, NOW).getFirst();
        assertThat(seen.faults()).hasSize(1);
        assertThat(seen.faults().getFirst()).contains("SIGNATURE_WRONG");
    }

    @Test
    void everyKindOfKeyIsNamed() throws Exception {
        for (KeyKind kind : KeyKind.values()) {
            if (kind.isIssuable()) {
                byte[] request = CertificationRequest.create("m-1", Crypto.generate(kind, RANDOM));
                Inspected seen = Inspection.read(request, NOW).getFirst();
                assertThat(seen.faults()).as(kind.text()).isEmpty();
                assertThat(fact(seen, "Key")).doesNotContain("another kind");
            }
        }
    }

    @Test
    void aRevocationListSaysWhatItRevokesAndWhetherItIsOutOfDate() throws Exception {
        X509v2CRLBuilder list = new X509v2CRLBuilder(CA_NAME, Date.from(NOW.minus(Duration.ofDays(2))));
        list.setNextUpdate(Date.from(NOW.minus(Duration.ofDays(1))));
        list.addCRLEntry(new BigInteger("abcd", 16), Date.from(NOW.minus(Duration.ofDays(3))), CRLReason.keyCompromise);
        byte[] der = list.build(signer("SHA256withECDSA", CA)).getEncoded();

        Inspected seen = Inspection.read(text(Pem.encode("X509 CRL", der)), NOW).getFirst();

        assertThat(seen.headline()).isEqualTo("A revocation list of Test CA with 1 certificate.");
        assertThat(fact(seen, "Revoked")).contains("abcd", "keycompromise");
        assertThat(seen.faults()).hasSize(1);
        assertThat(seen.faults().getFirst()).contains("out of date");
    }

    @Test
    void aCertificatesOnlyMessageAndAPrivateKeyAreSeen() throws Exception {
        X509Certificate leaf =
                certificate(CA_NAME, CA, new X500Name("CN=m-1"), DEVICE, "SHA256withECDSA", false, Duration.ofDays(29));
        byte[] message = CertificatesOnly.encode(List.of(leaf));
        assertThat(Inspection.read(text(Base64.getEncoder().encodeToString(message)), NOW))
                .singleElement()
                .extracting(Inspected::kind)
                .isEqualTo(Kind.CERTIFICATE);
        Inspected key = Inspection.read(
                        text(Pem.encode(Pem.PRIVATE_KEY, DEVICE.getPrivate().getEncoded())), NOW)
                .getFirst();
        assertThat(key.kind()).isEqualTo(Kind.PRIVATE_KEY);
        assertThat(key.der()).isEmpty();
        assertThat(Inspection.read(text("hello"), NOW).getFirst().kind()).isEqualTo(Kind.UNREADABLE);
        assertThatThrownBy(() -> Inspection.read(new byte[0], NOW)).isInstanceOf(X509FormatException.class);
    }

    @Test
    void whateverOctetsComeAreReadOrSaidToBeUnreadable() throws Exception {
        long seed = RANDOM.nextLong();
        Random random = new Random(seed);
        X509v2CRLBuilder list = new X509v2CRLBuilder(CA_NAME, Date.from(NOW));
        list.addCRLEntry(BigInteger.TEN, Date.from(NOW), CRLReason.keyCompromise);
        List<byte[]> goods = List.of(
                Certificates.der(certificate(
                        CA_NAME, CA, new X500Name("CN=m-1"), DEVICE, "SHA256withECDSA", false, Duration.ofDays(29))),
                CertificationRequest.create("m-1", DEVICE),
                list.build(signer("SHA256withECDSA", CA)).getEncoded());
        for (int round = 0; round < 6_000; round++) {
            byte[] bytes = goods.get(round % goods.size()).clone();
            for (int i = random.nextInt(5); i >= 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            if (random.nextInt(8) == 0) {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length) + 1);
            }
            try {
                Lint.faults(Inspection.read(bytes, NOW))
                        .forEach(faults -> assertThat(faults)
                                .allSatisfy(fault -> assertThat(fault).isPrintable()));
            } catch (X509FormatException malformed) {
                assertThat(malformed).hasMessageContaining(" ");
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError(
                        "seed " + seed + ", round " + round + ": "
                                + Base64.getEncoder().encodeToString(bytes),
                        e);
            }
        }
    }

    private static String fact(Inspected one, String name) {
        return one.facts().stream()
                .filter(f -> f.name().equals(name))
                .map(Fact::text)
                .findFirst()
                .orElse("");
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static ContentSigner signer(String scheme, KeyPair key) throws Exception {
        return new JcaContentSignerBuilder(scheme).build(key.getPrivate());
    }

    private static X509Certificate certificate(
            X500Name issuer, KeyPair by, X500Name subject, KeyPair key, String scheme, boolean authority, Duration life)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                issuer,
                new BigInteger(100, RANDOM).setBit(90),
                Date.from(NOW.minus(Duration.ofDays(30))),
                Date.from(NOW.plus(life)),
                subject,
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        builder.addExtension(
                Extension.keyUsage, true, new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.digitalSignature));
        if (!authority) {
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(
                            new GeneralName(GeneralName.uniformResourceIdentifier, "urn:holdfast:device:test:m-1")));
        }
        return Certificates.parse(builder.build(signer(scheme, by)).getEncoded());
    }
}
