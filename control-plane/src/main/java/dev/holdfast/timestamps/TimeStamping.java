package dev.holdfast.timestamps;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ServiceCertificates;
import dev.holdfast.protocol.tsp.TimeStampAuthority;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.SignatureSchemes;
import java.math.BigInteger;
import java.security.InvalidKeyException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The room's door: signed time for devices without a clock, by the standard protocol (RFC 3161). What is
/// signed is this node's clock, with a key of the node's own.
public final class TimeStamping {
    private static final Logger LOG = LoggerFactory.getLogger(TimeStamping.class);
    private static final Duration LIFETIME = Duration.ofDays(30);
    private static final int SERIAL_BITS = 120;

    private final Ca ca;
    private final SecureRandom random;
    private final InstantSource clock;
    private final ReentrantLock renewing = new ReentrantLock();
    private volatile @Nullable Signing signing;

    private record Signing(TimeStampAuthority authority, Instant until, Instant renewAt) {}

    public TimeStamping(Ca ca, SecureRandom random, InstantSource clock) {
        this.ca = ca;
        this.random = random;
        this.clock = clock;
    }

    /// Makes the certificate; called once, when the journal can be written to and before anybody can ask.
    public void start() {
        renew();
    }

    /// The answer, DER; empty when there is no certificate that is valid now, so that nothing can be said.
    public Optional<byte[]> answer(byte[] request) {
        Instant now = clock.instant();
        Signing current = signing;
        if (current == null || !now.isBefore(current.renewAt())) {
            renew();
            current = signing;
        }
        if (current == null || now.isAfter(current.until())) {
            return Optional.empty();
        }
        return Optional.of(current.authority().answer(request, new BigInteger(SERIAL_BITS, random), now));
    }

    private void renew() {
        if (!renewing.tryLock()) {
            return; // somebody does; the old one is good for a while
        }
        try {
            ServiceCertificates.Credential credential = ca.serviceCertificates()
                    .issue(ca.authorities().server(), ServiceCertificates.Service.TIME, LIFETIME);
            String scheme = Crypto.schemeFor(credential.certificate().getPublicKey());
            signing = new Signing(
                    new TimeStampAuthority(
                            credential.certificate(),
                            credential.above(),
                            SignatureSchemes.identifier(scheme),
                            bytes -> Crypto.sign(credential.key(), scheme, bytes)),
                    credential.certificate().getNotAfter().toInstant(),
                    credential.renewAt());
        } catch (InvalidKeyException | RuntimeException e) {
            LOG.warn("no certificate for time-stamping could be made: {}", e.toString());
        } finally {
            renewing.unlock();
        }
    }
}
