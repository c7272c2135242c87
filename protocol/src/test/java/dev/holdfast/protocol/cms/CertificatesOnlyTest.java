package dev.holdfast.protocol.cms;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.protocol.x509.ClaimCertificate;
import dev.holdfast.protocol.x509.Crypto;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificatesOnlyTest {
    /// Clients take the first for their own; found by fuzzing, as one order in two was turned round.
    @Test
    void certificatesKeepTheOrderThatTheyAreGivenIn() throws Exception {
        KeyPair key = Crypto.generateP256(new SecureRandom());
        Instant from = Instant.parse("2026-06-01T00:00:00Z");
        List<X509Certificate> all = new ArrayList<>();
        for (int serial = 1; serial <= 5; serial++) {
            all.add(ClaimCertificate.make(
                    "batch-" + serial, key, BigInteger.valueOf(serial), from, from.plusSeconds(60)));
        }
        assertThat(CertificatesOnly.decode(CertificatesOnly.encode(all))).isEqualTo(all);
        Collections.reverse(all);
        assertThat(CertificatesOnly.decode(CertificatesOnly.encode(all))).isEqualTo(all);
    }
}
