package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.identity.TpmFacts.Found;
import dev.holdfast.identity.TpmFault;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.tpm.TpmPublic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/// Attestation during a device's life: quotes of devices that have their certificate, and those that do not
/// come. What is not as it should be is told in the transaction that stores the verdict, so that neither is
/// there without the other.
final class Reattestation {
    private static final int OVERDUE_AT_ONCE = 200;
    private static final Duration LOOK_EVERY = Duration.ofMinutes(1);

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private volatile Instant since;
    private volatile BiConsumer<Transaction, Alarm> alarmed = (_, _) -> {};
    private volatile Instant looked;

    /// @param since when this node began to listen
    Reattestation(Database database, Journal journal, Inventory inventory, Instant since) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.since = since;
        this.looked = since;
    }

    void onAlarm(BiConsumer<Transaction, Alarm> listener) {
        alarmed = listener;
    }

    /// Appraises a quote, stores the verdict, and says it.
    Verdict appraise(DeviceRef device, Optional<Challenge> challenge, Submission.Reattestation sent) {
        Optional<LogAppraisal.Read> log = sent.eventLog().map(LogAppraisal.Read::of);
        return journal.commit(tx -> appraise(tx, device, challenge, sent.quoted(), log));
    }

    /// 1. The challenge: this device's, in time, for the first time. 2. The quote, by the attestation key that
    ///    was activated. 3. Registers, and how far the TPM's life has got. 4. The event log, which only
    ///    explains.
    /// 5. What follows: the TPM has got this far, or an alarm.
    private Verdict appraise(
            Transaction tx,
            DeviceRef device,
            Optional<Challenge> challenge,
            Submission.Quoted sent,
            Optional<LogAppraisal.Read> sentLog) {
        List<Found> faults = new ArrayList<>();
        Optional<Challenge> mine = challenge.filter(c -> c.device().equals(device.id()));
        mine.map(c -> EnrolmentEvidence.freshness(tx, c))
                .orElseGet(() -> Optional.of(new Found(TpmFault.NONCE_STALE, "not a challenge of this device")))
                .ifPresent(faults::add);
        Optional<VerdictStore.State> state = VerdictStore.lock(tx.sql(), device);
        Optional<Ledger.Quoted> quoted = Optional.empty();
        Optional<Ledger.Appraised> appraised = Optional.empty();
        if (state.isEmpty()) {
            faults.add(new Found(
                    TpmFault.ATTESTATION_KEY_UNKNOWN, "the device was not enrolled with a TPM, so it has none here"));
        } else {
            TpmPublic key = Attestation.known(state.get().attestation());
            QuoteCheck.Result quote =
                    QuoteCheck.quote(key, sent, mine.map(Challenge::nonce).orElse(""));
            faults.addAll(quote.faults());
            quoted = quote.quote()
                    .map(believed -> new Ledger.Quoted(
                            quote.values().orElseThrow(),
                            TpmLife.of(key.name(), state.get().life().genuine(), believed.statement())));
            Device record = inventory.lock(tx, device).orElseThrow();
            appraised = quoted.map(q -> Ledger.appraise(tx, record, state.get().endorsement(), q));
            appraised.ifPresent(result -> faults.addAll(result.faults()));
        }
        LogAppraisal log = LogAppraisal.of(sentLog, quoted.map(Ledger.Quoted::values));
        if (faults.isEmpty()) {
            VerdictStore.State good = state.orElseThrow();
            Ledger.advance(
                    tx,
                    device,
                    good.endorsement(),
                    good.software(),
                    good.attestation(),
                    quoted.orElseThrow(),
                    appraised.orElseThrow());
            Ledger.learn(tx, appraised.orElseThrow(), log);
        }
        Verdict verdict = verdict(tx, device, faults, state, new Shown(quoted, appraised, log));
        tell(tx, verdict, faults);
        return verdict;
    }

    /// @param quoted only when the quote is believed
    private record Shown(Optional<Ledger.Quoted> quoted, Optional<Ledger.Appraised> appraised, LogAppraisal log) {}

    private static Verdict verdict(
            Transaction tx, DeviceRef device, List<Found> faults, Optional<VerdictStore.State> state, Shown shown) {
        return new Verdict(
                device,
                tx.now(),
                Verdict.Occasion.REATTESTATION,
                faults.isEmpty(),
                faults.stream().map(Found::toString).toList(),
                Optional.empty(),
                state.map(VerdictStore.State::software).orElse(true),
                state.map(VerdictStore.State::endorsement).orElse(""),
                shown.appraised().flatMap(Ledger.Appraised::reference),
                shown.appraised().flatMap(Ledger.Appraised::expected).map(PcrReference::name),
                Ledger.differences(tx, shown.appraised(), shown.quoted(), shown.log()),
                shown.log().text(),
                shown.quoted().map(q -> q.values().byName()).orElse(Map.of()),
                shown.quoted().map(q -> Verdict.Life.of(q.life())));
    }

    private void tell(Transaction tx, Verdict verdict, List<Found> faults) {
        List<Verdict> before = Ledger.before(tx, verdict.device());
        boolean said = Ledger.record(tx, verdict, before);
        Alarm.of(verdict, faults.stream().map(Found::fault).toList(), before)
                .filter(alarm -> said || Alarm.isFirstOfItsKind(alarm, before))
                .ifPresent(alarm -> alarmed.accept(tx, alarm));
    }

    /// Looks for devices whose attestation is overdue, where it was not done just now.
    ///
    /// @param nobodyIsLetIn then none is: they could not
    void lookNowAndThen(Instant now, boolean nobodyIsLetIn) {
        if (nobodyIsLetIn) {
            since = now;
            return;
        }
        if (looked.plus(LOOK_EVERY).isBefore(now)) {
            looked = now;
            tellOverdue(now);
        }
    }

    /// Tells of devices whose attestation is overdue, each once a day; some of them at a time.
    void tellOverdue(Instant now) {
        List<DeviceRef> candidates = database.read(sql -> OverdueStore.look(sql, since, now, OVERDUE_AT_ONCE));
        if (!candidates.isEmpty()) {
            journal.run(tx -> OverdueStore.take(tx.sql(), candidates, since, now)
                    .forEach(late -> alarmed.accept(tx, Alarm.overdue(late, now))));
        }
    }
}
