package dev.holdfast.revocation;

import dev.holdfast.ca.Authorities;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.ServiceCertificates;
import dev.holdfast.protocol.ocsp.OcspResponse;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// This node's OCSP responders, one for each authority whose key is here: a key of the node's own, certified
/// by the authority it answers for (RFC 6960 section 4.2.2.2), for days.
final class Responders {
    private static final Logger LOG = LoggerFactory.getLogger(Responders.class);
    private static final Duration LIFETIME = Duration.ofDays(3);

    private final Authorities authorities;
    private final ServiceCertificates certificates;
    private final InstantSource clock;
    private final Map<String, Responder> byAuthority = new ConcurrentHashMap<>();

    Responders(Authorities authorities, ServiceCertificates certificates, InstantSource clock) {
        this.authorities = authorities;
        this.certificates = certificates;
        this.clock = clock;
    }

    /// @param until when its certificate ends
    record Responder(OcspResponse.Responder identity, PrivateKey key, String scheme, Instant until, Instant renewAt) {
        byte[] sign(byte[] contents) {
            return Crypto.sign(key, scheme, contents);
        }
    }

    /// Empty when there is none, or its certificate has ended: then nothing can be said.
    Optional<Responder> find(Authority authority, Instant now) {
        return Optional.ofNullable(byAuthority.get(authority.id())).filter(r -> now.isBefore(r.until()));
    }

    /// Makes those that are missing or due. Blocks; called at the start and then now and then.
    void renew() {
        for (Authority authority : authorities.all()) {
            Responder known = byAuthority.get(authority.id());
            if ((known == null || !clock.instant().isBefore(known.renewAt())) && authorities.canSign(authority)) {
                try {
                    byAuthority.put(authority.id(), make(authority));
                } catch (RuntimeException e) {
                    LOG.warn("no OCSP responder for {} could be made: {}", authority.id(), e.toString());
                }
            }
        }
    }

    private Responder make(Authority authority) {
        ServiceCertificates.Credential credential =
                certificates.issue(authority, ServiceCertificates.Service.STATUS, LIFETIME);
        X509Certificate certificate = credential.certificate();
        try {
            String scheme = Crypto.schemeFor(certificate.getPublicKey());
            byte[] keyHash = MessageDigest.getInstance("SHA-1")
                    .digest(SubjectPublicKeyInfo.getInstance(
                                    certificate.getPublicKey().getEncoded())
                            .getPublicKeyData()
                            .getOctets());
            return new Responder(
                    new OcspResponse.Responder(keyHash, scheme, Optional.of(Certificates.der(certificate))),
                    credential.key(),
                    scheme,
                    certificate.getNotAfter().toInstant(),
                    credential.renewAt());
        } catch (InvalidKeyException | NoSuchAlgorithmException e) {
            throw new IllegalStateException("the key of our own responder can't be used", e);
        }
    }
}
