package dev.holdfast.attestation;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.TpmEvidence;
import dev.holdfast.identity.TpmFacts;
import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.tpm.EkCertificate;
import dev.holdfast.protocol.tpm.TpmPublic;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The answer to a challenge to enrol, its signatures checked, waiting for the transaction that decides.
final class EnrolmentEvidence implements TpmEvidence {
    private final Inventory inventory;
    private final Challenge challenge;
    private final Shown shown;
    private Optional<Ledger.Appraised> appraised = Optional.empty();
    private Certified certified = new Certified.None();
    private Endorsed endorsed =
            new Endorsed.Unknown(new Found(TpmFault.ENDORSEMENT_KEY_NOT_REGISTERED, "not looked up"));

    /// What cryptography has shown.
    ///
    /// @param activated the device recovered the secret: both keys are in one TPM
    /// @param certificate of the endorsement key, by itself
    /// @param faults of keys and statements
    /// @param quoted only when the quote is believed
    record Shown(
            TpmPublic endorsement,
            TpmPublic attestation,
            boolean activated,
            Certified certificate,
            List<Found> faults,
            Optional<Ledger.Quoted> quoted) {
        Shown {
            faults = List.copyOf(faults);
        }
    }

    /// Whether the endorsement key's maker says that it is in one of its TPMs.
    sealed interface Certified {
        record None() implements Certified {}

        record NotBelieved(String why) implements Certified {}

        record By(EkCertificate certificate, Endorsements.Anchor anchor) implements Certified {}
    }

    /// Whose the endorsement key is.
    private sealed interface Endorsed {
        record Known(Endorsements.Key key) implements Endorsed {}

        record FirstUse(Endorsements.Anchor anchor) implements Endorsed {}

        record Unknown(Found why) implements Endorsed {}
    }

    EnrolmentEvidence(Inventory inventory, Challenge challenge, Shown shown) {
        this.inventory = inventory;
        this.challenge = challenge;
        this.shown = shown;
    }

    /// 1. The challenge: in time, answered for the first time. 2. The credential was activated, so what
    ///    follows is said by the TPM of this endorsement key. 3. Whose it is. 4. Keys and statements. 5.
    ///    Registers, and how far the TPM's life has got.
    @Override
    public TpmFacts appraise(Transaction tx, DeviceRef device) {
        List<Found> faults = new ArrayList<>();
        freshness(tx, challenge).ifPresent(faults::add);
        if (!shown.activated()) {
            faults.add(new Found(
                    TpmFault.CREDENTIAL_NOT_ACTIVATED,
                    "the secret is not the one that the endorsement key's TPM would have recovered"));
        }
        Optional<Device> record = inventory.lock(tx, device);
        certified = stillTrusted(tx);
        endorsed = endorsed(tx, device, record);
        if (endorsed instanceof Endorsed.Unknown unknown) {
            faults.add(unknown.why());
        }
        faults.addAll(shown.faults());
        appraised = record.isPresent() && shown.quoted().isPresent()
                ? Optional.of(Ledger.appraise(
                        tx,
                        record.get(),
                        shown.endorsement().fingerprint(),
                        shown.quoted().get()))
                : Optional.empty();
        appraised.ifPresent(result -> faults.addAll(result.faults()));
        return new TpmFacts(faults, software());
    }

    /// Uses the challenge up.
    static Optional<Found> freshness(Transaction tx, Challenge challenge) {
        if (tx.now().isAfter(challenge.expiresAt())) {
            return Optional.of(new Found(TpmFault.NONCE_STALE, "the challenge's time is over; ask for a new one"));
        }
        return EndorsementStore.use(tx.sql(), challenge.nonce(), challenge.expiresAt(), tx.now())
                ? Optional.empty()
                : Optional.of(new Found(TpmFault.NONCE_STALE, "the challenge was answered already; ask for a new one"));
    }

    /// Memory may not have heard yet that a maker is trusted no more.
    private Certified stillTrusted(Transaction tx) {
        return shown.certificate() instanceof Certified.By by
                        && !EndorsementStore.isTrusted(
                                tx.sql(), by.anchor().environment(), by.anchor().id())
                ? new Certified.NotBelieved("its maker is trusted no more")
                : shown.certificate();
    }

    private Endorsed endorsed(Transaction tx, DeviceRef device, Optional<Device> record) {
        Optional<Endorsements.Key> known =
                EndorsementStore.find(tx.sql(), shown.endorsement().fingerprint());
        if (known.isPresent()) {
            return known.get().device().equals(device)
                    ? new Endorsed.Known(known.get())
                    : unknown(
                            TpmFault.ENDORSEMENT_KEY_BOUND_TO_ANOTHER_DEVICE,
                            "another device has this endorsement key, for ever");
        }
        if (!EndorsementStore.of(tx.sql(), device).isEmpty()) {
            return unknown(
                    TpmFault.ENDORSEMENT_KEY_IS_NOT_THE_DEVICES,
                    "the device has another endorsement key; if its TPM was replaced, register the new one");
        }
        return switch (certified) {
            case Certified.None _ ->
                unknown(
                        TpmFault.ENDORSEMENT_KEY_NOT_REGISTERED,
                        "no device has the endorsement key "
                                + shown.endorsement().fingerprint() + "; register it");
            case Certified.NotBelieved not -> unknown(TpmFault.ENDORSEMENT_CERTIFICATE_NOT_TRUSTED, not.why());
            case Certified.By by ->
                by.anchor().firstUse() && record.map(Device::state).equals(Optional.of(Lifecycle.REGISTERED))
                        ? new Endorsed.FirstUse(by.anchor())
                        : unknown(
                                TpmFault.ENDORSEMENT_KEY_NOT_REGISTERED,
                                "its maker is known, but no device has the endorsement key "
                                        + shown.endorsement().fingerprint() + "; register it");
        };
    }

    private static Endorsed unknown(TpmFault fault, String detail) {
        return new Endorsed.Unknown(new Found(fault, detail));
    }

    /// What the maker says comes before what an operator said; nothing said means software.
    private boolean software() {
        if (certified instanceof Certified.By by) {
            return by.anchor().software() || by.certificate().isSoftware();
        }
        return !(endorsed instanceof Endorsed.Known known) || known.key().software();
    }

    @Override
    public void granted(Transaction tx, DeviceRef device, TpmFacts facts) {
        String fingerprint = shown.endorsement().fingerprint();
        if (endorsed instanceof Endorsed.FirstUse first) {
            Endorsements.bind(
                    tx,
                    new Endorsements.Key(fingerprint, device, facts.software(), true),
                    new Actor.Holdfast("attestation"),
                    "the device's first use of a TPM under anchor '"
                            + first.anchor().name() + "'");
        }
        Ledger.advance(
                tx,
                device,
                fingerprint,
                facts.software(),
                shown.attestation().encoded(),
                shown.quoted().orElseThrow(),
                appraised.orElseThrow());
        Ledger.record(tx, verdict(tx, device, facts, true, Optional.empty()), Ledger.before(tx, device));
    }

    /// Only what was proven to come from the device's own TPM is written down as the device's.
    @Override
    public void notGranted(Transaction tx, DeviceRef device, TpmFacts facts, String because) {
        if (endorsed instanceof Endorsed.Known && shown.activated()) {
            Ledger.record(tx, verdict(tx, device, facts, false, Optional.of(because)), Ledger.before(tx, device));
        }
    }

    private Verdict verdict(
            Transaction tx, DeviceRef device, TpmFacts facts, boolean passed, Optional<String> because) {
        return new Verdict(
                device,
                tx.now(),
                Verdict.Occasion.ENROLMENT,
                passed,
                facts.faults().stream().map(Found::toString).toList(),
                because,
                facts.software(),
                shown.endorsement().fingerprint(),
                appraised.flatMap(Ledger.Appraised::reference),
                appraised.flatMap(Ledger.Appraised::expected).map(PcrReference::name),
                Ledger.differences(tx, appraised, shown.quoted(), new LogAppraisal.None()),
                Optional.empty(),
                shown.quoted().map(q -> q.values().byName()).orElse(Map.of()),
                shown.quoted().map(q -> Verdict.Life.of(q.life())));
    }
}
