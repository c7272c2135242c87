package dev.holdfast.attestation;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.tpm.PcrValues;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Appraises a believed quote against what is known of the device, and writes down what was found. All
/// inside one transaction.
final class Ledger {
    private static final Duration SAID_AGAIN = Duration.ofHours(1);

    private Ledger() {}

    /// A believed quote, with what it says of the TPM's life.
    record Quoted(PcrValues values, TpmLife life) {}

    /// @param faults none when the values and the TPM's life are as they should be
    /// @param judgement of the values
    record Appraised(List<Found> faults, PcrPolicy.Judgement judgement, Optional<VerdictStore.State> before) {
        Appraised {
            faults = List.copyOf(faults);
        }

        Optional<String> reference() {
            return judgement instanceof PcrPolicy.Judgement.Matched matched
                    ? Optional.of(matched.reference().name())
                    : Optional.empty();
        }

        /// What the values should have been, where they are nobody's.
        Optional<PcrReference> expected() {
            return judgement instanceof PcrPolicy.Judgement.Refused refused ? refused.expected() : Optional.empty();
        }
    }

    /// @param endorsement fingerprint: another TPM has another life
    static Appraised appraise(Transaction tx, Device record, String endorsement, Quoted quoted) {
        DeviceRef device = record.ref();
        Optional<VerdictStore.State> before = VerdictStore.lock(tx.sql(), device);
        List<PcrReference> references =
                new ArrayList<>(ReferenceStore.ofModel(tx.sql(), device.environment(), record.model()));
        references.addAll(ReferenceStore.ofDevice(tx.sql(), device));
        PcrPolicy.Judgement judgement = References.policy(tx, device.environment(), record.model())
                .judge(
                        quoted.values(),
                        references,
                        record.firmware(),
                        before.map(VerdictStore.State::generation).orElse(0L));
        List<Found> faults = new ArrayList<>();
        if (judgement instanceof PcrPolicy.Judgement.Refused refused) {
            faults.add(refused.found());
        }
        before.filter(state -> state.endorsement().equals(endorsement))
                .flatMap(state -> quoted.life().wentBackSince(state.life()))
                .ifPresent(faults::add);
        return new Appraised(faults, judgement, before);
    }

    /// In what the registers differ from what they should hold, and which events did it.
    static List<Verdict.Difference> differences(
            Transaction tx, Optional<Appraised> appraised, Optional<Quoted> quoted, LogAppraisal log) {
        Optional<PcrReference> expected = appraised.flatMap(Appraised::expected);
        if (expected.isEmpty() || quoted.isEmpty()) {
            return List.of();
        }
        Map<String, String> registers = quoted.get().values().byName();
        Optional<MeasuredEvents> known = log.believed()
                .flatMap(_ -> ReferenceStore.events(tx.sql(), expected.get().generation()));
        return expected.get().differences(registers).entrySet().stream()
                .map(e -> new Verdict.Difference(
                        e.getKey(),
                        e.getValue(),
                        registers.getOrDefault(e.getKey(), "not quoted"),
                        known.map(k -> MeasuredEvents.changes(k, log.believed().orElseThrow(), e.getKey()))
                                .orElse(List.of())))
                .toList();
    }

    /// Keeps the events behind a reference that was matched, where they are not known yet. A log that replays
    /// to the values of a reference is right whoever sent it: another one would need a collision of the hash.
    static void learn(Transaction tx, Appraised appraised, LogAppraisal log) {
        if (appraised.judgement() instanceof PcrPolicy.Judgement.Matched matched) {
            log.believed()
                    .filter(MeasuredEvents::isKept)
                    .ifPresent(events -> ReferenceStore.learnEvents(
                            tx.sql(),
                            matched.reference().generation(),
                            events.only(matched.reference().values())));
        }
    }

    /// What follows from evidence that was found good: the device's TPM has got this far.
    static void advance(
            Transaction tx,
            DeviceRef device,
            String endorsement,
            boolean software,
            String attestationKey,
            Quoted quoted,
            Appraised appraised) {
        long generation = appraised.before().map(VerdictStore.State::generation).orElse(0L);
        switch (appraised.judgement()) {
            case PcrPolicy.Judgement.FirstSeen first -> References.pin(tx, device, first.values());
            case PcrPolicy.Judgement.Matched matched -> {
                if (matched.reference().origin() == PcrReference.Origin.MODEL) {
                    generation = Math.max(generation, matched.reference().generation());
                }
            }
            case PcrPolicy.Judgement.Refused _ -> throw new IllegalStateException("refused values can't be taken");
        }
        VerdictStore.put(
                tx.sql(),
                device,
                new VerdictStore.State(endorsement, software, attestationKey, quoted.life(), generation),
                tx.now());
    }

    /// The device's verdicts before the one that is being made, as far back as anybody asks.
    static List<Verdict> before(Transaction tx, DeviceRef device) {
        return VerdictStore.of(tx.sql(), device, 5);
    }

    /// Stores a verdict. It is journalled when it says something new, or nothing was said for an hour.
    ///
    /// @param before the device's verdicts before it, newest first
    /// @return whether it was journalled
    static boolean record(Transaction tx, Verdict verdict, List<Verdict> before) {
        Optional<Verdict> last = before.stream().findFirst();
        boolean overdue = verdict.passed() && OverdueStore.settle(tx.sql(), verdict.device());
        boolean recovered =
                verdict.passed() && (overdue || last.filter(v -> !v.passed()).isPresent());
        boolean said = recovered
                || last.isEmpty()
                || verdict.isNewsAfter(last.get())
                || VerdictStore.lastSaid(tx.sql(), verdict.device())
                        .filter(at -> at.plus(SAID_AGAIN).isAfter(verdict.at()))
                        .isEmpty();
        VerdictStore.insert(tx.sql(), verdict, said);
        if (!said) {
            return false;
        }
        Map<String, Object> body = new TreeMap<>();
        body.put("occasion", verdict.occasion().text());
        body.put("faults", verdict.faults());
        body.put("software", verdict.software());
        body.put("endorsement", verdict.endorsement());
        verdict.reference().ifPresent(name -> body.put("reference", name));
        verdict.expected().ifPresent(name -> body.put("expected", name));
        verdict.eventLog().ifPresent(log -> body.put("eventLog", log));
        verdict.life().ifPresent(life -> body.put("resets", life.resets()));
        if (verdict.passed()) {
            body.put("recovered", recovered);
        }
        tx.record(new Entry(
                verdict.passed() ? "attestation.passed" : "attestation.failed",
                verdict.device().environment(),
                Inventory.subject(verdict.device()),
                new Actor.Holdfast("attestation"),
                verdict.passed()
                        ? "its TPM has shown what was asked"
                        : verdict.faults().stream()
                                .findFirst()
                                .or(verdict::because)
                                .orElse("not granted"),
                body));
        return true;
    }
}
