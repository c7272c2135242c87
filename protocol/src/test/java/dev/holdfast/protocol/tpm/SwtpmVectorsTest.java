package dev.holdfast.protocol.tpm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.IOException;
import java.io.InputStream;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/// What tpm2-tools wrote down of a real swtpm, read by us.
class SwtpmVectorsTest {
    private static final Properties VECTORS = load();
    private static final Instant NOW = Instant.parse("2026-12-01T00:00:00Z");

    private static Properties load() {
        Properties all = new Properties();
        try (InputStream in =
                Objects.requireNonNull(SwtpmVectorsTest.class.getResourceAsStream("/tpm/swtpm.properties"))) {
            all.load(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return all;
    }

    private static byte[] vector(String name) {
        return HexFormat.of().parseHex(Objects.requireNonNull(VECTORS.getProperty(name), name));
    }

    private static X509Certificate certificate(String name) throws Exception {
        return Certificates.parse(vector(name));
    }

    @Test
    void theNamesAreThoseThatTheTpmGave() throws Exception {
        TpmPublic ek = TpmPublic.parseSized(vector("ek.pub"));
        TpmPublic ak = TpmPublic.parseSized(vector("ak.pub"));
        assertThat(ak.name()).isEqualTo(VECTORS.getProperty("ak.name"));
        assertThat(TpmPublic.parseSized(vector("akpss.pub")).name()).isEqualTo(VECTORS.getProperty("akpss.name"));
        assertThat(ak.qualifiedNameUnder(ek.qualifiedNameInEndorsementHierarchy()))
                .isEqualTo(VECTORS.getProperty("ak.qualified"));
        assertThat(TpmKeyFault.ofEndorsementKey(ek)).isEmpty();
        assertThat(TpmKeyFault.ofEndorsementKey(TpmPublic.parseSized(vector("ek384.pub"))))
                .isEmpty();
        assertThat(TpmKeyFault.ofAttestationKey(ak)).isEmpty();
        assertThat(TpmKeyFault.ofDeviceKey(TpmPublic.parseSized(vector("key.pub"))))
                .isEmpty();
    }

    @Test
    void theKeyOfTheRequestIsTheOneThatTheTpmCertified() throws Exception {
        TpmPublic ak = TpmPublic.parseSized(vector("ak.pub"));
        TpmPublic key = TpmPublic.parseSized(vector("key.pub"));
        TpmCertification certified = TpmCertification.parse(vector("certify.bin"));
        assertThat(TpmSignature.parse(vector("certify.sig")).verifies(ak, vector("certify.bin")))
                .isTrue();
        assertThat(certified.name()).isEqualTo(key.name());
        assertThat(certified.statement().qualifiedSigner()).isEqualTo(VECTORS.getProperty("ak.qualified"));
        assertThat(CertificationRequest.verify(vector("csr.der"))
                        .publicKeyInfo()
                        .getEncoded())
                .isEqualTo(key.key().getEncoded());
    }

    @Test
    void quotesOfEachSchemeVerifyAndDigestTheirValues() throws Exception {
        for (String[] names : new String[][] {
            {"ak.pub", "quote.bin", "quote.sig", "pcrs.bin"},
            {"akrsa.pub", "akrsa.quote", "akrsa.sig", "akrsa.pcrs"},
            {"akpss.pub", "akpss.quote", "akpss.sig", "akpss.pcrs"}
        }) {
            TpmQuote quote = TpmQuote.parse(vector(names[1]));
            TpmSignature signature = TpmSignature.parse(vector(names[2]));
            assertThat(signature.verifies(TpmPublic.parseSized(vector(names[0])), vector(names[1])))
                    .as(names[1])
                    .isTrue();
            assertThat(PcrValues.parse(quote.selections(), vector(names[3]))
                            .digest(signature.scheme().hash()))
                    .isEqualTo(quote.pcrDigest());
        }
    }

    @Test
    void theEndorsementCertificateLeadsToItsMakersRootAndSaysThatItIsAProgram() throws Exception {
        X509Certificate ek = certificate("ek.der");
        X509Certificate root = certificate("root.der");
        EkCertificate verified = EkCertificate.verify(ek, List.of(certificate("issuer.der")), List.of(root), NOW);
        assertThat(verified.anchor()).isEqualTo(Certificates.fingerprint(root));
        assertThat(verified.manufacturer()).isEqualTo("id:00001014");
        assertThat(verified.model()).isEqualTo("swtpm");
        assertThat(verified.isSoftware()).isTrue();
        assertThat(ek.getPublicKey().getEncoded())
                .isEqualTo(TpmPublic.parseSized(vector("ek.pub")).key().getEncoded());
        // The issuer itself may be the anchor.
        assertThat(EkCertificate.verify(ek, List.of(), List.of(certificate("issuer.der")), NOW)
                        .model())
                .isEqualTo("swtpm");
    }

    @Test
    void refusesAnEndorsementCertificateWithoutItsChainOrAnotherCertificateInItsPlace() throws Exception {
        X509Certificate root = certificate("root.der");
        assertThat(fault(certificate("ek.der"), List.of(), List.of(root)))
                .isEqualTo(EkCertificate.Fault.CHAIN_NOT_TRUSTED);
        assertThat(fault(certificate("ek.der"), List.of(certificate("issuer.der")), List.of()))
                .isEqualTo(EkCertificate.Fault.CHAIN_NOT_TRUSTED);
        assertThat(fault(certificate("issuer.der"), List.of(), List.of(root)))
                .isEqualTo(EkCertificate.Fault.NOT_FOR_AN_ENDORSEMENT_KEY);
    }

    private static EkCertificate.Fault fault(
            X509Certificate certificate, List<X509Certificate> above, List<X509Certificate> anchors) {
        return catchThrowableOfType(
                        EkCertificate.NotBelieved.class, () -> EkCertificate.verify(certificate, above, anchors, NOW))
                .fault();
    }
}
