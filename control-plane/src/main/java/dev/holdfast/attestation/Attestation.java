package dev.holdfast.attestation;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.tpm.EkCertificate;
import dev.holdfast.protocol.tpm.TpmCredential;
import dev.holdfast.protocol.tpm.TpmFormatException;
import dev.holdfast.protocol.tpm.TpmPublic;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.X509FormatException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// Evidence from TPMs: challenges, endorsement keys, reference values, verdicts.
public final class Attestation {
    private static final Duration LIFETIME = Duration.ofMinutes(5);
    private static final int NONCE = 32;

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Environment environment;
    private final Endorsements endorsements;
    private final References references;
    private final ChallengeSeal seal;
    private final Reattestation reattestation;
    private final SecureRandom random;
    private final InstantSource clock;

    /// @param installation the installation's secret, the same on every node
    public Attestation(
            Database database,
            Journal journal,
            Inventory inventory,
            Environment environment,
            byte[] installation,
            SecureRandom random,
            InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.environment = environment;
        this.endorsements = new Endorsements(database, journal, inventory);
        this.references = new References(database, journal);
        this.seal = new ChallengeSeal(installation);
        this.reattestation = new Reattestation(database, journal, inventory, clock.instant());
        this.random = random;
        this.clock = clock;
    }

    public Endorsements endorsements() {
        return endorsements;
    }

    public References references() {
        return references;
    }

    // ------------------------------------------------------------------ challenges

    /// What a device is told to do.
    ///
    /// @param nonce hexadecimal, to be quoted over
    /// @param credential for the TPM to open; empty where the keys are known already
    /// @param pcrs to be quoted: `sha256:0,1,7`
    record Asked(String session, String nonce, Optional<TpmCredential> credential, PcrPolicy pcrs, Instant expiresAt) {}

    /// @param endorsement TPM2B_PUBLIC
    /// @param certificates DER of the endorsement key's certificate and those above it; may be empty
    /// @param attestation TPM2B_PUBLIC
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Wish(
            DeviceId device,
            Optional<String> profile,
            byte[] endorsement,
            List<byte[]> certificates,
            byte[] attestation) {}

    /// Asks a TPM to prove that endorsement and attestation key are in it. Nothing is stored.
    ///
    /// @throws TpmFormatException when a key can't be read, or no credential can be made for it
    Asked ask(Wish wish, Instant now) throws TpmFormatException {
        TpmPublic endorsement = TpmPublic.parseSized(wish.endorsement());
        TpmPublic attestation = TpmPublic.parseSized(wish.attestation());
        Challenge challenge = challenge(
                Challenge.Purpose.ENROL,
                wish.device(),
                wish.profile(),
                endorsement.encoded(),
                attestation.encoded(),
                wish.certificates().stream().map(ChallengeSeal::hex).toList(),
                now);
        Optional<TpmCredential> credential = endorsement.symmetricBits().isEmpty()
                ? Optional.empty()
                : Optional.of(TpmCredential.make(
                        endorsement, attestation.name(), seal.credential(challenge.nonce()), random));
        return asked(challenge, credential);
    }

    /// Asks a device that has its certificate to quote anew.
    Asked askAgain(DeviceRef device, Instant now) {
        return asked(
                challenge(Challenge.Purpose.QUOTE, device.id(), Optional.empty(), "", "", List.of(), now),
                Optional.empty());
    }

    private Challenge challenge(
            Challenge.Purpose purpose,
            DeviceId device,
            Optional<String> profile,
            String endorsement,
            String attestation,
            List<String> certificates,
            Instant now) {
        byte[] nonce = new byte[NONCE];
        random.nextBytes(nonce);
        return new Challenge(
                purpose,
                device,
                profile,
                ChallengeSeal.hex(nonce),
                now.plus(LIFETIME),
                endorsement,
                attestation,
                certificates);
    }

    private Asked asked(Challenge challenge, Optional<TpmCredential> credential) {
        PcrPolicy pcrs = inventory
                .directory()
                .find(new DeviceRef(environment, challenge.device()))
                .map(device -> references.policy(environment, device.model()))
                .orElse(PcrPolicy.USUAL);
        return new Asked(seal.seal(challenge), challenge.nonce(), credential, pcrs, challenge.expiresAt());
    }

    /// The challenge that this answers; empty when it is none of ours.
    Optional<Challenge> answered(String session, Challenge.Purpose purpose) {
        return seal.open(session).filter(challenge -> challenge.purpose() == purpose);
    }

    // ------------------------------------------------------------------ answers

    /// Checks what can be checked without looking anything up.
    EnrolmentEvidence evidence(
            Challenge challenge, Submission.Enrolment sent, CertificationRequest request, Instant now) {
        TpmPublic endorsement = known(challenge.endorsement());
        TpmPublic attestation = known(challenge.attestation());
        List<Found> faults = new ArrayList<>();
        QuoteCheck.endorsementKey(endorsement).ifPresent(faults::add);
        QuoteCheck.attestationKey(attestation).ifPresent(faults::add);
        faults.addAll(QuoteCheck.certification(attestation, sent.certification(), sent.key(), request));
        QuoteCheck.Result quote = QuoteCheck.quote(attestation, sent.quoted(), challenge.nonce());
        faults.addAll(quote.faults());
        String expected = attestation.qualifiedNameUnder(endorsement.qualifiedNameInEndorsementHierarchy());
        return new EnrolmentEvidence(
                inventory,
                challenge,
                new EnrolmentEvidence.Shown(
                        endorsement,
                        attestation,
                        MessageDigest.isEqual(sent.activated(), seal.credential(challenge.nonce())),
                        certified(challenge, endorsement, now),
                        faults,
                        quoted(quote, attestation, expected)));
    }

    private static Optional<Ledger.Quoted> quoted(QuoteCheck.Result result, TpmPublic key, String qualifiedName) {
        return result.quote()
                .map(quote -> new Ledger.Quoted(
                        result.values().orElseThrow(),
                        TpmLife.of(
                                key.name(),
                                quote.statement().qualifiedSigner().equals(qualifiedName),
                                quote.statement())));
    }

    static TpmPublic known(String area) {
        try {
            return TpmPublic.parse(HexFormat.of().parseHex(area));
        } catch (TpmFormatException e) {
            throw new IllegalStateException("a sealed or stored key can't be read", e);
        }
    }

    private EnrolmentEvidence.Certified certified(Challenge challenge, TpmPublic endorsement, Instant now) {
        if (challenge.certificates().isEmpty()) {
            return new EnrolmentEvidence.Certified.None();
        }
        try {
            List<X509Certificate> chain = new ArrayList<>();
            for (String der : challenge.certificates()) {
                chain.add(Certificates.parse(HexFormat.of().parseHex(der)));
            }
            List<Endorsements.Anchor> anchors = endorsements.anchors(environment);
            EkCertificate certificate = EkCertificate.verify(
                    chain.getFirst(),
                    chain.subList(1, chain.size()),
                    anchors.stream().map(Endorsements.Anchor::certificate).toList(),
                    now);
            if (!Endorsements.fingerprint(chain.getFirst().getPublicKey().getEncoded())
                    .equals(endorsement.fingerprint())) {
                return new EnrolmentEvidence.Certified.NotBelieved("the certificate is for another endorsement key");
            }
            return new EnrolmentEvidence.Certified.By(
                    certificate,
                    anchors.stream()
                            .filter(a -> a.id().equals(certificate.anchor()))
                            .findFirst()
                            .orElseThrow());
        } catch (X509FormatException e) {
            return new EnrolmentEvidence.Certified.NotBelieved("not a certificate: " + e.getMessage());
        } catch (EkCertificate.NotBelieved e) {
            return new EnrolmentEvidence.Certified.NotBelieved(String.valueOf(e.getMessage()));
        }
    }

    /// Appraises a quote of a device that has its certificate, stores the verdict, and says it.
    Verdict reattest(DeviceRef device, Optional<Challenge> challenge, Submission.Reattestation sent) {
        return reattestation.appraise(device, challenge, sent);
    }

    /// Who is told, in the same change, that a device does not show what it should; set before anybody may ask.
    public void onAlarm(BiConsumer<Transaction, Alarm> listener) {
        reattestation.onAlarm(listener);
    }

    /// Looks for devices that have not attested within their model's interval; to be called now and then.
    ///
    /// @param nobodyIsLetIn whether devices are refused for reasons of this server's
    public void tellOverdue(boolean nobodyIsLetIn) {
        reattestation.lookNowAndThen(clock.instant(), nobodyIsLetIn);
    }

    void tellOverdue(Instant now) {
        reattestation.tellOverdue(now);
    }

    // ------------------------------------------------------------------ for operators

    /// The last verdicts, newest first.
    public List<Verdict> verdicts(DeviceRef device, int limit) {
        return database.read(sql -> VerdictStore.of(sql, device, limit));
    }

    /// What became of a wish to approve.
    public enum Approval {
        APPROVED,
        NOTHING_TO_APPROVE,
        UNKNOWN_DEVICE
    }

    /// Takes what the device's last believed quote said for good: its registers, and where its TPM's life is.
    public Approval approve(DeviceRef device, String reason, Actor actor) {
        return journal.commit(tx -> {
            Optional<Device> found = inventory.lock(tx, device);
            if (found.isEmpty()) {
                return Approval.UNKNOWN_DEVICE;
            }
            Optional<Verdict> last = VerdictStore.of(tx.sql(), device, 1).stream()
                    .filter(verdict -> verdict.life().isPresent())
                    .findFirst();
            if (last.isEmpty()) {
                return Approval.NOTHING_TO_APPROVE;
            }
            PcrPolicy policy = References.policy(tx, environment, found.get().model());
            Map<String, String> values = new TreeMap<>(last.get().registers());
            values.keySet()
                    .retainAll(policy.selection().registers().stream()
                            .map(register -> policy.selection().bank().text() + ":" + register)
                            .toList());
            if (values.size() < policy.selection().registers().size()) {
                return Approval.NOTHING_TO_APPROVE;
            }
            References.approve(tx, device, values, reason, actor);
            VerdictStore.forgetLife(tx.sql(), device);
            return Approval.APPROVED;
        });
    }
}
