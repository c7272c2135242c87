package dev.holdfast.ceremony;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.ceremony.KeyShare;
import dev.holdfast.protocol.x509.CertificateLint;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.NameLimits;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.testkit.RealClient;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The acts of a ceremony, what is refused, and what an issuer with name constraints can and can't certify, by
/// `openssl verify` and by our own lint.
@SuppressWarnings("TimeInStaticInitializer") // one moment for the whole class
class CeremonyTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Instant NOW = Instant.now();

    @TempDir
    private Path folder;

    private static Ceremony table() throws CeremonyException {
        return new Ceremony(List.of("Ada", "Ben <b>", "Cleo"), NOW, RANDOM);
    }

    private record Root(X509Certificate certificate, List<KeyShare> shares) {}

    private static Root root(boolean rehearsal) throws Exception {
        Ceremony.Outcome made = table().root("City root", "City", KeyKind.EC_P384, 2, 3, rehearsal);
        List<KeyShare> shares = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            shares.add(KeyShare.parse(made.files().getOrDefault("share-" + i + ".txt", "")));
        }
        return new Root(
                Certificates.parsePem(made.files().getOrDefault("root.pem", "")).getFirst(), shares);
    }

    private static X509Certificate issuer(Root root, KeyPair key, Optional<NameLimits> limits) throws Exception {
        Ceremony.Outcome signed = table().sign(
                        root.certificate(),
                        root.shares().subList(1, 3),
                        Pem.encode(Pem.CERTIFICATE_REQUEST, CertificationRequest.create("Devices", key)),
                        Duration.ofDays(1800),
                        limits);
        return Certificates.parsePem(signed.files().getOrDefault("issuer.pem", ""))
                .getFirst();
    }

    private static X509CertificateHolder leaf(X509Certificate issuer, KeyPair issuerKey, GeneralName name)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()),
                new BigInteger(120, RANDOM).setBit(119),
                Date.from(NOW),
                Date.from(NOW.plus(Duration.ofDays(30))),
                new X500Name("CN=meter-1"),
                SubjectPublicKeyInfo.getInstance(
                        Crypto.generateP256(RANDOM).getPublic().getEncoded()));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(name));
        return builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                .setProvider(Crypto.provider())
                .build(issuerKey.getPrivate()));
    }

    /// @return what openssl says
    private String verify(X509Certificate root, X509Certificate issuer, X509CertificateHolder leaf) throws Exception {
        Files.writeString(folder.resolve("root.pem"), Certificates.pem(root));
        Files.writeString(folder.resolve("issuer.pem"), Certificates.pem(issuer));
        Files.writeString(folder.resolve("leaf.pem"), Pem.encode(Pem.CERTIFICATE, leaf.getEncoded()));
        RealClient.Result result = RealClient.of(
                        "openssl", "verify", "-CAfile", "root.pem", "-untrusted", "issuer.pem", "leaf.pem")
                .in(folder)
                .run();
        return result.text() + result.errors();
    }

    private static List<String> nameFaults(X509Certificate issuer, X509CertificateHolder leaf) {
        TBSCertificate contents = leaf.toASN1Structure().getTBSCertificate();
        return CertificateLint.check(contents, issuer).stream()
                .filter(fault -> fault.contains("4.2.1.10"))
                .toList();
    }

    @Test
    void whatIsReadAloudIsWhatTheOtherMachineSaysAndLimitsAreInWords() throws Exception {
        Root root = root(false);
        String request = Pem.encode(
                Pem.CERTIFICATE_REQUEST, CertificationRequest.create("Devices", Crypto.generateP256(RANDOM)));
        Files.writeString(folder.resolve("devices.req.pem"), request);
        Files.writeString(folder.resolve("root.pem"), Certificates.pem(root.certificate()));
        String digest =
                RealClient.of("sha256sum", "devices.req.pem").in(folder).run().text();
        String fingerprint = RealClient.of("openssl", "x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256")
                .in(folder)
                .run()
                .text();
        String protocol = table().sign(
                        root.certificate(),
                        root.shares().subList(1, 3),
                        request,
                        Duration.ofDays(1800),
                        Optional.of(new NameLimits(List.of(), List.of("127.0.0.1"))))
                .protocol()
                .text();
        assertThat(protocol)
                .contains("request's file, SHA-256:\n    " + digest.substring(0, 64))
                .contains("root, SHA-256:\n    "
                        + fingerprint.substring(fingerprint.indexOf('=') + 1).strip())
                .contains("no DNS names; addresses 127.0.0.1");
    }

    @Test
    void anIssuerOfDevicesCertifiesDevicesAndNoServersWhoeverHasItsKey() throws Exception {
        Root root = root(false);
        KeyPair key = Crypto.generateP256(RANDOM);
        X509Certificate issuer = issuer(root, key, Optional.of(new NameLimits(List.of(), List.of())));
        assertThat(issuer.getCriticalExtensionOIDs()).contains("2.5.29.30");
        GeneralName device =
                new GeneralName(GeneralName.uniformResourceIdentifier, "urn:holdfast:device:production:meter-1");
        assertThat(verify(root.certificate(), issuer, leaf(issuer, key, device)))
                .contains("leaf.pem: OK");
        assertThat(nameFaults(issuer, leaf(issuer, key, device))).isEmpty();
        for (GeneralName other : List.of(
                new GeneralName(GeneralName.dNSName, "bank.example.org"),
                new GeneralName(GeneralName.iPAddress, "192.0.2.1"),
                new GeneralName(GeneralName.iPAddress, "2001:db8::1"),
                new GeneralName(GeneralName.rfc822Name, "ada@example.org"))) {
            X509CertificateHolder leaf = leaf(issuer, key, other);
            assertThat(verify(root.certificate(), issuer, leaf))
                    .containsAnyOf("excluded subtree violation", "permitted subtree violation");
            assertThat(nameFaults(issuer, leaf)).as(other.toString()).hasSize(1);
        }
    }

    @Test
    void anIssuerOfServersCertifiesItsOwnNamesAlone() throws Exception {
        Root root = root(false);
        KeyPair key = Crypto.generateP256(RANDOM);
        X509Certificate issuer =
                issuer(root, key, Optional.of(new NameLimits(List.of("city.example.org"), List.of("127.0.0.1"))));
        for (GeneralName good : List.of(
                new GeneralName(GeneralName.dNSName, "holdfast.city.example.org"),
                new GeneralName(GeneralName.iPAddress, "127.0.0.1"))) {
            assertThat(verify(root.certificate(), issuer, leaf(issuer, key, good)))
                    .contains("leaf.pem: OK");
            assertThat(nameFaults(issuer, leaf(issuer, key, good))).isEmpty();
        }
        for (GeneralName bad : List.of(
                new GeneralName(GeneralName.dNSName, "evilcity.example.org"),
                new GeneralName(GeneralName.dNSName, "example.org"),
                new GeneralName(GeneralName.iPAddress, "127.0.0.2"))) {
            assertThat(verify(root.certificate(), issuer, leaf(issuer, key, bad)))
                    .contains("permitted subtree violation");
            assertThat(nameFaults(issuer, leaf(issuer, key, bad)))
                    .as(bad.toString())
                    .hasSize(1);
        }
        assertThatThrownBy(() -> new NameLimits(List.of("*.example.org"), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new NameLimits(List.of(), List.of("1.2.3.4.5")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void practiceAndEarnestRefuseEachOtherAndPracticeSaysSoEverywhere() throws Exception {
        Root practice = root(true);
        Root earnest = root(false);
        assertThat(practice.certificate().getSubjectX500Principal().getName()).contains("REHEARSAL");
        assertThat(practice.shares().getFirst().toString()).contains("REHEARSAL");
        Ceremony.Outcome restored = table().restore(practice.certificate(), practice.shares());
        assertThat(restored.protocol().text()).contains("REHEARSAL");
        assertThat(restored.protocol().html()).contains("REHEARSAL").contains("Ben &lt;b&gt;");
        assertThat(restored.record()).containsEntry("rehearsal", true);
        assertThatThrownBy(() -> table().restore(earnest.certificate(), practice.shares()))
                .isInstanceOf(CeremonyException.class);
        assertThatThrownBy(() -> table().restore(
                                earnest.certificate(),
                                List.of(
                                        earnest.shares().getFirst(),
                                        practice.shares().getLast())))
                .hasMessageContaining("different ceremonies");
    }

    @Test
    void tooFewSharesARequestThatIsNoneAndALonelyTableAreRefused() throws Exception {
        Root root = root(false);
        assertThatThrownBy(
                        () -> table().restore(root.certificate(), root.shares().subList(0, 1)))
                .hasMessageContaining("2 are needed");
        assertThatThrownBy(() -> table().sign(
                                root.certificate(), root.shares(), "no request", Duration.ofDays(1), Optional.empty()))
                .hasMessageContaining("request");
        assertThatThrownBy(() -> new Ceremony(List.of("Ada"), NOW, RANDOM)).hasMessageContaining("people");
        assertThatThrownBy(() -> table().root("r", "o", KeyKind.EC_P384, 1, 3, false))
                .isInstanceOf(CeremonyException.class);
    }

    @Test
    void noOutcomeHoldsTheKey() throws Exception {
        Ceremony.Outcome made = table().root("City root", "City", KeyKind.EC_P256, 2, 3, false);
        List<KeyShare> shares = new ArrayList<>();
        for (int i = 1; i <= 2; i++) {
            shares.add(KeyShare.parse(made.files().getOrDefault("share-" + i + ".txt", "")));
        }
        String number = new BigInteger(1, KeyShare.combine(shares)).toString(16);
        assertThat(made.toString() + made.protocol().text() + made.record()).doesNotContain(number);
        made.files()
                .values()
                .forEach(file -> assertThat(file).doesNotContain("PRIVATE KEY").doesNotContain(number));
    }
}
