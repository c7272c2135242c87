package dev.holdfast.revocation;

import dev.holdfast.ca.Authorities;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.ca.CertificateStandings;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.ocsp.CertificateId;
import dev.holdfast.protocol.ocsp.OcspFormatException;
import dev.holdfast.protocol.ocsp.OcspRequest;
import dev.holdfast.protocol.ocsp.OcspResponse;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Answers whether a certificate still counts (RFC 6960), from memory: as fast with a million revoked as with
/// none, and fast enough for an event loop.
///
/// A question without a nonce is answered with what was signed before, as long as that is still what memory
/// says: so one signature serves many, and a revocation is in the next answer (RFC 5019 section 2.1.1 asks
/// for answers made before; here they are made when first asked for).
public final class StatusResponder {
    /// How long an answer may be relied on. Short, because a device may be suspended any moment.
    private static final Duration RELIABLE = Duration.ofMinutes(10);
    /// How long it is given out: whoever gets it may rely on it for the rest.
    private static final Duration GIVEN_OUT = Duration.ofMinutes(5);

    private final Authorities authorities;
    private final Responders responders;
    private final CertificateStandings standings;
    private final BooleanSupplier mayNotKnow;
    private final InstantSource clock;
    private final SignedAnswers signed = new SignedAnswers();
    private volatile Known known = new Known(List.of(), List.of());

    /// @param mayNotKnow whether memory may lack revocations: then nothing is vouched for
    StatusResponder(
            Authorities authorities,
            Responders responders,
            CertificateStandings standings,
            BooleanSupplier mayNotKnow,
            InstantSource clock) {
        this.responders = responders;
        this.authorities = authorities;
        this.standings = standings;
        this.mayNotKnow = mayNotKnow;
        this.clock = clock;
    }

    /// How requests name an authority.
    private record Named(Authority authority, Map<CertificateId.Hash, Hashes> hashes) {}

    private static final class Hashes {
        final byte[] name;
        final byte[] key;

        Hashes(byte[] name, byte[] key) {
            this.name = name;
            this.key = key;
        }
    }

    private record Known(List<Authority> all, List<Named> named) {}

    /// 1. Parse (malformedRequest). 2. The authority of the first certificate answers; one that is not ours:
    /// unauthorized (section 2.3). 3. A node that may have missed revocations (cut off from the database, or
    /// restored and not merged yet): tryLater. 4. Each certificate: good, revoked, or unknown; unknown also when
    /// it is another authority's. 5. Without a nonce, what was signed before. 6. The nonce comes back (RFC 9654).
    /// 7. The signature.
    public StatusAnswer answer(byte[] request) {
        OcspRequest parsed;
        try {
            parsed = OcspRequest.parse(request);
        } catch (OcspFormatException e) {
            return StatusAnswer.failure(OcspResponse.Failure.MALFORMED_REQUEST);
        }
        CertificateId first = parsed.certificates().getFirst();
        Optional<Named> issuer = issuer(first);
        if (issuer.isEmpty()) {
            return StatusAnswer.failure(OcspResponse.Failure.UNAUTHORIZED);
        }
        if (mayNotKnow.getAsBoolean()) {
            return StatusAnswer.failure(OcspResponse.Failure.TRY_LATER);
        }
        Authority authority = issuer.get().authority();
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        if (parsed.nonce().isEmpty() && parsed.certificates().size() == 1) {
            OcspResponse.Status status = status(authority, first.serial());
            Optional<StatusAnswer> before = signed.find(first, status, now);
            if (before.isPresent()) {
                return before.get();
            }
            StatusAnswer fresh = sign(issuer.get(), List.of(new OcspResponse.Single(first, status)), now, parsed);
            if (!(status instanceof OcspResponse.Status.Unknown)) { // or strangers could fill the memory
                signed.put(first, status, fresh, now.plus(GIVEN_OUT));
            }
            return fresh;
        }
        List<OcspResponse.Single> answers = new ArrayList<>();
        for (CertificateId certificate : parsed.certificates()) {
            answers.add(new OcspResponse.Single(
                    certificate,
                    issuer(certificate).equals(issuer)
                            ? status(authority, certificate.serial())
                            : new OcspResponse.Status.Unknown()));
        }
        return sign(issuer.get(), answers, now, parsed);
    }

    private StatusAnswer sign(Named by, List<OcspResponse.Single> answers, Instant now, OcspRequest request) {
        Optional<Responders.Responder> responder = responders.find(by.authority(), now);
        if (responder.isEmpty()) {
            return StatusAnswer.failure(OcspResponse.Failure.UNAUTHORIZED);
        }
        Instant until = now.plus(RELIABLE);
        byte[] der = OcspResponse.signed(
                responder.get().identity(), answers, now, until, request.nonce(), responder.get()::sign);
        return request.nonce().isPresent() ? StatusAnswer.once(der) : StatusAnswer.forMany(der, now, until);
    }

    /// Good is only what was issued: a serial of which nothing is known is unknown (section 2.2), and
    /// whoever asks must not take that for good. What an authority issued whose key is in wrong hands is
    /// revoked, whatever its serial: the thief can have issued it (section 2.7).
    private OcspResponse.Status status(Authority authority, BigInteger number) {
        if (number.signum() <= 0) {
            return new OcspResponse.Status.Unknown();
        }
        Optional<CertificateStanding> found = number.bitLength() > 160
                ? Optional.empty()
                : standings
                        .find(Serial.of(number))
                        .filter(standing -> standing.authority().equals(authority.id()));
        if (found.isPresent() && found.get().state() == CertificateState.REVOKED) {
            return ended(found.get());
        }
        if (authority.standing() == Authority.Standing.DISTRUSTED) {
            return new OcspResponse.Status.Revoked(
                    authority.endedAt().orElse(Instant.EPOCH), RevocationReason.CA_COMPROMISE.code());
        }
        if (found.isEmpty()) {
            return authorities.signedBy(authority).stream()
                    .filter(signed -> signed.serial().equals(number))
                    .findFirst()
                    .<OcspResponse.Status>map(signed -> signed.taken().isEmpty()
                            ? new OcspResponse.Status.Good()
                            : new OcspResponse.Status.Revoked(
                                    signed.taken().get().at(),
                                    signed.taken().get().reason().code()))
                    .orElseGet(OcspResponse.Status.Unknown::new);
        }
        return found.get().counts(clock.instant()) ? new OcspResponse.Status.Good() : ended(found.get());
    }

    private static OcspResponse.Status ended(CertificateStanding standing) {
        return new OcspResponse.Status.Revoked(
                standing.endedAt().orElse(Instant.EPOCH),
                standing.endedBecause().code());
    }

    private Optional<Named> issuer(CertificateId certificate) {
        Optional<CertificateId.Hash> hash = certificate.hash();
        if (hash.isEmpty()) {
            return Optional.empty();
        }
        for (Named named : known().named()) {
            Hashes hashes = named.hashes().get(hash.get());
            if (hashes != null && certificate.isBy(hash.get(), hashes.name, hashes.key)) {
                return Optional.of(named);
            }
        }
        return Optional.empty();
    }

    /// The list is another one when an authority was added: compared as such, because every request comes
    /// here.
    @SuppressWarnings("ReferenceEquality")
    private Known known() {
        Known current = known;
        List<Authority> all = authorities.all();
        if (all != current.all()) {
            List<Named> named = new ArrayList<>();
            for (Authority authority : all) {
                byte[] subject =
                        authority.certificate().getSubjectX500Principal().getEncoded();
                Map<CertificateId.Hash, Hashes> hashes = new EnumMap<>(CertificateId.Hash.class);
                for (CertificateId.Hash hash : CertificateId.Hash.values()) {
                    hashes.put(hash, new Hashes(hash(hash.javaName(), subject), hash(hash.javaName(), key(authority))));
                }
                named.add(new Named(authority, hashes));
            }
            current = new Known(all, List.copyOf(named));
            known = current;
        }
        return current;
    }

    private static byte[] key(Authority authority) {
        return SubjectPublicKeyInfo.getInstance(
                        authority.certificate().getPublicKey().getEncoded())
                .getPublicKeyData()
                .getOctets();
    }

    private static byte[] hash(String digest, byte[] content) {
        try {
            return MessageDigest.getInstance(digest).digest(content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(digest + " is missing from this Java platform", e);
        }
    }
}
