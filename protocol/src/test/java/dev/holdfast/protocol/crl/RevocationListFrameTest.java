package dev.holdfast.protocol.crl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.x509.Crypto;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.CRLReason;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CRLDistPoint;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.IssuingDistributionPoint;
import org.junit.jupiter.api.Test;

/// Lists as the platform and BouncyCastle read them.
class RevocationListFrameTest {
    private static final Instant NOW = Instant.parse("2026-11-27T01:02:03Z");
    private static final String POINT = "http://pki.example.org/crl/a.7.crl";
    private static final String DELTA = "http://pki.example.org/crl/a.7.delta.crl";

    private final KeyPair key = Crypto.generateP256(new SecureRandom());

    private byte[] list(RevocationListFrame.Scope scope, byte[] entries) throws Exception {
        return new RevocationListFrame(
                        new X500Name("CN=a").getEncoded(),
                        new byte[20],
                        "SHA256withECDSA",
                        NOW,
                        NOW.plusSeconds(86_400),
                        scope)
                .list(entries, contents -> Crypto.sign(key.getPrivate(), "SHA256withECDSA", contents));
    }

    private static X509CRL read(byte[] der) throws Exception {
        assertThat(CertificateList.getInstance(der).getEncoded("DER")).isEqualTo(der);
        return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
    }

    private static byte[] value(X509CRL list, String oid) {
        return ASN1OctetString.getInstance(list.getExtensionValue(oid)).getOctets();
    }

    @Test
    void aCompleteListOfAPartitionSaysWhichAndWhereItsDeltasAre() throws Exception {
        ByteArrayOutputStream entries = new ByteArrayOutputStream();
        for (int i = 1; i <= 3_000; i++) {
            entries.write(RevocationListFrame.entry(BigInteger.valueOf(i).shiftLeft(100), NOW, i % 7 == 2 ? 1 : 0));
        }
        X509CRL list = read(list(
                new RevocationListFrame.Scope(
                        BigInteger.valueOf(1L << 50), Optional.empty(), List.of(POINT), List.of(DELTA)),
                entries.toByteArray()));
        list.verify(key.getPublic());
        assertThat(list.getVersion()).isEqualTo(2);
        assertThat(list.getThisUpdate()).isEqualTo(Date.from(NOW));
        assertThat(list.getNextUpdate()).isEqualTo(Date.from(NOW.plusSeconds(86_400)));
        assertThat(list.getRevokedCertificates()).hasSize(3_000);
        X509CRLEntry second = list.getRevokedCertificate(BigInteger.TWO.shiftLeft(100));
        assertThat(second.getRevocationReason()).isEqualTo(CRLReason.KEY_COMPROMISE);
        assertThat(list.getRevokedCertificate(BigInteger.ONE.shiftLeft(100)).hasExtensions())
                .isFalse();
        assertThat(list.getCriticalExtensionOIDs()).containsExactly("2.5.29.28");
        assertThat(GeneralNames.getInstance(IssuingDistributionPoint.getInstance(value(list, "2.5.29.28"))
                                .getDistributionPoint()
                                .getName())
                        .getNames()[0]
                        .getName()
                        .toString())
                .isEqualTo(POINT);
        assertThat(CRLDistPoint.getInstance(value(list, "2.5.29.46")).toString())
                .contains(DELTA);
        assertThat(new BigInteger(org.bouncycastle.asn1.ASN1Integer.getInstance(value(list, "2.5.29.20"))
                        .getValue()
                        .toByteArray()))
                .isEqualTo(BigInteger.valueOf(1L << 50));
    }

    @Test
    void aDeltaNamesItsBaseAndMayRemove() throws Exception {
        X509CRL list = read(list(
                new RevocationListFrame.Scope(
                        BigInteger.TEN, Optional.of(BigInteger.valueOf(3)), List.of(POINT), List.of()),
                RevocationListFrame.entry(BigInteger.valueOf(99), NOW, RevocationListFrame.REMOVE_FROM_CRL)));
        assertThat(list.getCriticalExtensionOIDs()).containsExactlyInAnyOrder("2.5.29.27", "2.5.29.28");
        assertThat(org.bouncycastle.asn1.ASN1Integer.getInstance(value(list, "2.5.29.27"))
                        .intValueExact())
                .isEqualTo(3);
        assertThat(list.getExtensionValue("2.5.29.46")).isNull();
        assertThat(list.getRevokedCertificate(BigInteger.valueOf(99)).getRevocationReason())
                .isEqualTo(CRLReason.REMOVE_FROM_CRL);
        list.verify(key.getPublic());
    }

    @Test
    void anEmptyListHasNoFieldForEntries() throws Exception {
        byte[] der = list(
                new RevocationListFrame.Scope(BigInteger.TEN, Optional.empty(), List.of(), List.of()), new byte[0]);
        assertThat(read(der).getRevokedCertificates()).isNull();
        assertThat(CertificateList.getInstance(der).getTBSCertList().getRevokedCertificates())
                .isEmpty();
        read(der).verify(key.getPublic());
    }

    @Test
    void aDeltaWhoseNumberIsNotAboveItsBaseIsNotMade() {
        assertThatThrownBy(() -> new RevocationListFrame.Scope(
                        BigInteger.TEN, Optional.of(BigInteger.TEN), List.of(), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
