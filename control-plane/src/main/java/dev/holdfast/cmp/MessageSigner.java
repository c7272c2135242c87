package dev.holdfast.cmp;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.ServerCertificateStore;
import dev.holdfast.protocol.cmp.AnswerEnvelope;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.bouncycastle.asn1.x500.X500Name;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The credential that answers are signed with: a certificate of ours with the purpose of a CMP authority
/// (RFC 9810 section 4.5), renewed by itself.
final class MessageSigner {
    private static final Logger LOG = LoggerFactory.getLogger(MessageSigner.class);
    private static final Duration LOOKED_AT = Duration.ofMinutes(10);

    private final Ca ca;
    private final InstantSource clock;
    private volatile Current current;

    private record Current(ServerCertificateStore.Credential credential, String scheme, Instant since) {}

    MessageSigner(Ca ca, InstantSource clock) throws IOException {
        this.ca = ca;
        this.clock = clock;
        this.current = load(clock.instant());
    }

    private Current load(Instant now) throws IOException {
        ServerCertificateStore.Credential credential = ca.serverCertificates().messageSigner(now);
        try {
            String scheme = Crypto.schemeFor(credential.chain().getFirst().getPublicKey());
            return new Current(credential, scheme, now);
        } catch (java.security.InvalidKeyException e) {
            throw new IOException("the key that signs CMP answers can't be used", e);
        }
    }

    AnswerEnvelope.Protection.Signature protection() {
        Current now = current();
        return new AnswerEnvelope.Protection.Signature(
                now.credential().chain(),
                now.scheme(),
                bytes -> Crypto.sign(now.credential().key(), now.scheme(), bytes));
    }

    X500Name name() {
        return X500Name.getInstance(current()
                .credential()
                .chain()
                .getFirst()
                .getSubjectX500Principal()
                .getEncoded());
    }

    private Current current() {
        Instant now = clock.instant();
        Current known = current;
        if (now.isBefore(known.since().plus(LOOKED_AT))) {
            return known;
        }
        synchronized (this) {
            if (now.isBefore(current.since().plus(LOOKED_AT))) {
                return current;
            }
            try {
                current = load(now);
            } catch (IOException | RuntimeException e) {
                LOG.error("the certificate that signs CMP answers could not be renewed; it will be tried again", e);
                current = new Current(current.credential(), current.scheme(), now);
            }
            return current;
        }
    }
}
