package dev.holdfast.ca;

import dev.holdfast.core.Serial;
import dev.holdfast.protocol.ocsp.OcspFormatException;
import dev.holdfast.protocol.ocsp.OcspRequest;
import dev.holdfast.protocol.ocsp.OcspResponse;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Answers whether a certificate still counts (RFC 6960), from memory: as fast with a million revoked as with
/// none.
///
/// Each authority answers for what it issued, with its own key, so that no further certificate is needed to check
/// the answer (section 4.2.2.2, first case).
public final class StatusResponder {
    /// How long an answer may be relied on. Short, because a device may be suspended any moment.
    private static final Duration RELIABLE = Duration.ofMinutes(10);

    private final Authorities authorities;
    private final CertificateStandings standings;
    private volatile Known known = new Known(List.of(), Map.of());

    StatusResponder(Authorities authorities, CertificateStandings standings) {
        this.authorities = authorities;
        this.standings = standings;
    }

    private record Known(List<Authority> all, Map<String, Authority> byHash) {}

    /// The answer's DER, and until when it may be cached; empty for answers that must not be.
    public static final class Answer {
        private final byte[] der;
        private final Optional<Instant> until;

        Answer(byte[] der, Optional<Instant> until) {
            this.der = der;
            this.until = until;
        }

        public byte[] der() {
            return der.clone();
        }

        public Optional<Instant> until() {
            return until;
        }
    }

    /// 1. Parse (malformedRequest). 2. The authority of the first certificate answers; one that is not ours:
    /// unauthorized (section 2.3). 3. Each certificate: good, revoked, or unknown. 4. The nonce comes back
    /// (section 4.4.1). 5. The signature.
    public Answer answer(byte[] request) {
        OcspRequest parsed;
        try {
            parsed = OcspRequest.parse(request);
        } catch (OcspFormatException e) {
            return failure(OcspResponse.Failure.MALFORMED_REQUEST);
        }
        Optional<Authority> responder = issuer(parsed.certificates().getFirst());
        if (responder.isEmpty() || !authorities.canSign(responder.get())) {
            return failure(OcspResponse.Failure.UNAUTHORIZED);
        }
        Authority authority = responder.get();
        Instant now = authorities.clock().instant();
        Instant until = now.plus(RELIABLE);
        List<OcspResponse.Single> answers = new ArrayList<>();
        for (CertID certificate : parsed.certificates()) {
            answers.add(new OcspResponse.Single(
                    certificate,
                    issuer(certificate).equals(responder)
                            ? status(authority, certificate.getSerialNumber().getValue())
                            : new OcspResponse.Status.Unknown()));
        }
        byte[] der = OcspResponse.signed(
                answers,
                hash("SHA-1", key(authority)),
                now,
                until,
                parsed.nonce(),
                CertificateTemplate.SCHEME,
                bytes -> authorities.keys().sign(authority.keyName(), bytes));
        return new Answer(der, parsed.nonce().isPresent() ? Optional.empty() : Optional.of(until));
    }

    private OcspResponse.Status status(Authority authority, BigInteger number) {
        if (number.signum() <= 0) {
            return new OcspResponse.Status.Unknown();
        }
        Optional<CertificateStanding> found = standings
                .find(Serial.of(number))
                .filter(standing -> standing.authority().equals(authority.id()));
        if (found.isEmpty()) {
            return authorities.all().stream()
                            .anyMatch(a -> a.certificate().getSerialNumber().equals(number)
                                    && a.certificate()
                                            .getIssuerX500Principal()
                                            .equals(authority.certificate().getSubjectX500Principal()))
                    ? new OcspResponse.Status.Good()
                    : new OcspResponse.Status.Unknown();
        }
        CertificateStanding standing = found.get();
        boolean counts = switch (standing.state()) {
            case PENDING, CURRENT -> !standing.held();
            case SUPERSEDED, REVOKED -> false;
            case INTENDED -> false;
        };
        return counts
                ? new OcspResponse.Status.Good()
                : new OcspResponse.Status.Revoked(
                        standing.endedAt().orElse(Instant.EPOCH),
                        CertificateStore.reason(standing.state(), standing.reason())
                                .code());
    }

    private static Answer failure(OcspResponse.Failure failure) {
        return new Answer(failure.response(), Optional.empty());
    }

    private Optional<Authority> issuer(CertID certificate) {
        String digest = digest(certificate.getHashAlgorithm().getAlgorithm());
        return Optional.ofNullable(known().byHash()
                .get(name(
                        digest,
                        certificate.getIssuerNameHash().getOctets(),
                        certificate.getIssuerKeyHash().getOctets())));
    }

    private static String digest(ASN1ObjectIdentifier algorithm) {
        if (algorithm.equals(OIWObjectIdentifiers.idSHA1)) {
            return "SHA-1";
        }
        if (algorithm.equals(NISTObjectIdentifiers.id_sha256)) {
            return "SHA-256";
        }
        if (algorithm.equals(NISTObjectIdentifiers.id_sha384)) {
            return "SHA-384";
        }
        return algorithm.equals(NISTObjectIdentifiers.id_sha512) ? "SHA-512" : "";
    }

    private Known known() {
        Known current = known;
        List<Authority> all = authorities.all();
        if (!all.equals(current.all())) {
            Map<String, Authority> byHash = new HashMap<>();
            for (Authority authority : all) {
                byte[] subject =
                        authority.certificate().getSubjectX500Principal().getEncoded();
                for (String digest : List.of("SHA-1", "SHA-256", "SHA-384", "SHA-512")) {
                    byHash.put(name(digest, hash(digest, subject), hash(digest, key(authority))), authority);
                }
            }
            current = new Known(all, Map.copyOf(byHash));
            known = current;
        }
        return current;
    }

    private static String name(String digest, byte[] nameHash, byte[] keyHash) {
        return digest + Arrays.toString(nameHash) + Arrays.toString(keyHash);
    }

    private static byte[] key(Authority authority) {
        return SubjectPublicKeyInfo.getInstance(
                        authority.certificate().getPublicKey().getEncoded())
                .getPublicKeyData()
                .getOctets();
    }

    /// SHA-1 here is a name that the protocol prescribes; nothing rests on its strength.
    private static byte[] hash(String digest, byte[] content) {
        try {
            return MessageDigest.getInstance(digest).digest(content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(digest + " is missing from this Java platform", e);
        }
    }
}
